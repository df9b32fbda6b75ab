import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitFor } from '../../support/wait-for.ts';

/** The real client, as a process of its own. */
export interface AppProcess {
  /** Everything that it wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

export interface AppOptions {
  program: string;
  args: string[];
  cwd: string;
  env?: Record<string, string>;
  /** The app is ready when this address answers, with any status. */
  ready: string;
  /** The default is 60 s. */
  timeoutMs?: number;
}

/**
 * Starts an app without the settings of Gatehouse and without a proxy of this machine. Resolves when it answers.
 * Throws with what it wrote if it ends before.
 */
export async function startApp(options: AppOptions): Promise<AppProcess> {
  const { program, args, cwd, env = {}, ready, timeoutMs = 60_000 } = options;
  const child = spawn(program, args, { cwd, env: { ...ownEnvironment(), ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  let ended = false;
  const exit = once(child, 'close')
    .catch((error) => {
      output += String(error);
    })
    .then(() => {
      ended = true;
    });
  const stop = async () => {
    if (!ended) child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exit;
    clearTimeout(hard);
  };
  const answers = () =>
    ended || fetch(ready, { redirect: 'manual' }).then((answer) => answer.arrayBuffer().then(() => true));
  try {
    await waitFor(answers, { timeoutMs, what: `${program} to answer at ${ready}` });
    if (ended) throw new Error(`${program} ended before it was ready.`);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)} It wrote:\n${output}`, { cause: error });
  }
  return { output: () => output, stop };
}

/** The environment for apps: the test's own without settings of Gatehouse and Jest, and without proxies. */
export function ownEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(GATEHOUSE_|JEST_|NODE_ENV$|NODE_OPTIONS$|[a-z]+_proxy$)/i.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), NO_PROXY: '*', no_proxy: '*' };
}
