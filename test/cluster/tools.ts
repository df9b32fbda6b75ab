import { type SpawnOptions, spawn } from 'node:child_process';

export interface Output {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What the program reads from standard input. */
  input?: string;
  env?: NodeJS.ProcessEnv;
  /** Whether another exit code than 0 is an error. The default is true. */
  check?: boolean;
}

/** Runs a program to its end. Throws its output when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Output> {
  const { input = '', env = process.env, check = true } = options;
  const spawnOptions: SpawnOptions = { env, stdio: ['pipe', 'pipe', 'pipe'] };
  const child = spawn(program, [...args], spawnOptions);
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (check && status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return { status, stdout, stderr };
}

/** Runs kubectl in the namespace of the test, and returns what it prints. */
export async function kubectl(...args: string[]): Promise<string> {
  return (await run('kubectl', ['--namespace', namespace, ...args])).stdout.trim();
}

/** `kubectl apply` of these objects or this text. */
export async function apply(...objects: (object | string)[]): Promise<void> {
  const input = objects
    .map((object) => (typeof object === 'string' ? object : JSON.stringify(object)))
    .join('\n---\n');
  await run('kubectl', ['--namespace', namespace, 'apply', '--filename', '-'], { input });
}

export async function helm(...args: string[]): Promise<string> {
  return (await run(process.env.HELM ?? 'helm', ['--namespace', namespace, ...args])).stdout;
}

export const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

let steps = 0;

/** One step of the test. Prints its title and how long it took. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  steps += 1;
  const began = performance.now();
  say(`\n== ${steps}. ${title}`);
  const result = await work();
  say(`   ok, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return result;
}

export function expect(condition: unknown, complaint: string): asserts condition {
  if (!condition) throw new Error(complaint);
}

export const namespace = 'gatehouse-test';
