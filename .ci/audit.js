/**
 * Fails when a library that production uses has a known vulnerability, high or critical. Registries that mirror
 * others often have no audit endpoint; then it says so and passes, since no change here could mend that.
 */
import { spawnSync } from 'node:child_process';

const notOffered = [404, 405, 501];
const command = ['audit', '--omit=dev', '--audit-level=high'];

function report() {
  const { stdout, stderr, status } = spawnSync('npm', [...command, '--json'], { encoding: 'utf8' });
  try {
    return { ...JSON.parse(stdout), status };
  } catch {
    return { message: stderr.trim() || 'npm audit gave no report', status };
  }
}

const { vulnerabilities, message, statusCode, status } = report();
if (vulnerabilities === undefined && notOffered.includes(statusCode)) {
  process.stdout.write("The audit couldn't be made: this registry doesn't offer it.\n");
} else if (vulnerabilities === undefined) {
  process.stderr.write(`The audit failed: ${message}\n`);
  process.exitCode = 1;
} else if (status !== 0) {
  spawnSync('npm', command, { stdio: 'inherit' });
  process.exitCode = 1;
}
