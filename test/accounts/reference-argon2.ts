import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { packageRoot } from '../../provider/lib/package-root.ts';

export type ReferenceJob =
  | { hash: string; memoryCost: number; timeCost: number; parallelism: number }
  | { verify: string; phc: string };

const script = `
const argon2 = require('argon2');
const run = ({ hash, verify, phc, ...options }) =>
  verify === undefined ? argon2.hash(hash, options) : argon2.verify(phc, verify);
let input = '';
process.stdin.on('data', (chunk) => { input += chunk; });
process.stdin.on('end', async () => {
  const results = [];
  for (const job of JSON.parse(input)) results.push(await run(job));
  process.stdout.write(JSON.stringify(results));
});
`;

async function attempt(jobs: ReferenceJob[]): Promise<{ results?: unknown[]; problem?: string }> {
  const child = spawn(process.execPath, ['-e', script], { cwd: packageRoot });
  const exited = once(child, 'close');
  // A crashed child doesn't read its input. Its exit code shows the reason.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(jobs));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await exited;
  return code === 0 ? { results: JSON.parse(output) } : { problem: signal ?? errors };
}

/**
 * Returns the results of the `argon2` package, a binding of the reference implementation: a PHC string for each password to
 * hash, true or false for each hash to verify.
 *
 * The package runs in its own process. Its prebuilt binary needs a newer Node-API than Node 20 has, and crashes there when it
 * is loaded. In this case the package is compiled once, as its install script would do.
 */
export async function referenceArgon2(jobs: ReferenceJob[]): Promise<unknown[]> {
  const first = await attempt(jobs);
  if (first.results) return first.results;
  const rebuild = [
    'rebuild',
    'argon2',
    '--build-from-source',
    '--ignore-scripts=false',
    '--foreground-scripts',
  ];
  await promisify(execFile)('npm', rebuild, { cwd: packageRoot });
  const second = await attempt(jobs);
  if (second.results) return second.results;
  throw new Error(
    `The argon2 package doesn't work here: ${second.problem}. Run 'npm rebuild argon2' and see.`,
  );
}
