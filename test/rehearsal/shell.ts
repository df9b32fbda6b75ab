import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One bash, in which the commands of the page are typed one after the other. */
export interface Shell {
  /** Runs commands, and gives what they print. Throws that when one of them fails. */
  run(commands: string, input?: string): Promise<string>;
  stop(): void;
}

/** A command that takes longer than this is stuck. */
const longest = 420_000;

/**
 * Starts bash.
 *
 * @param folder where commands and their outputs are kept
 * @param cwd where it works
 */
export function startShell(folder: string, cwd: string, env: NodeJS.ProcessEnv): Shell {
  const bash = spawn('bash', ['--norc', '--noprofile'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
  let count = 0;
  const run = (commands: string, input = '') =>
    new Promise<string>((resolve, reject) => {
      count += 1;
      const file = (kind: string) => join(folder, `${count}.${kind}`);
      writeFileSync(file('sh'), `set -e -o pipefail\n${commands}\n`);
      writeFileSync(file('in'), input);
      const output = () => readFileSync(file('out'), 'utf8');
      const limit = setTimeout(() => fail(`did not end in ${longest / 1000} seconds`), longest);
      const done = () => {
        clearTimeout(limit);
        bash.stdout.removeListener('data', end);
        bash.removeListener('close', ended);
      };
      const end = () => {
        done();
        resolve(output());
      };
      const fail = (how: string) => {
        done();
        bash.kill('SIGKILL');
        reject(new Error(`This ${how}:\n\n${commands}\nIt printed:\n\n${output()}`));
      };
      const ended = () => fail('failed');
      bash.stdout.once('data', end);
      bash.once('close', ended);
      bash.stdin.write(`. '${file('sh')}' < '${file('in')}' > '${file('out')}' 2>&1; echo done\n`);
    });
  return { run, stop: () => void bash.kill('SIGKILL') };
}
