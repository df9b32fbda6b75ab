import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A `gatehouse` process that a test started. */
export interface Program {
  readonly pid: number;
  /** Everything that the process wrote so far, standard output and error together. */
  output(): string;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code when the process has ended, or with null if a signal ended it. */
  readonly ended: Promise<number | null>;
  /** True once the process has ended. */
  hasEnded(): boolean;
  kill(signal: NodeJS.Signals): void;
}

export interface ProgramOptions {
  env: Record<string, string>;
  cwd: string;
  input?: string;
  /** The folder of another compiled release. */
  build?: string | undefined;
}

/** Runs the compiled `gatehouse` with this environment and without the test's own GATEHOUSE settings. */
export function runProgram(args: string[], { env, cwd, input, build }: ProgramOptions): Program {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_'));
  const child = spawn(
    process.execPath,
    [join(build ?? programFolder(), 'provider', 'bin', 'cli.js'), ...args],
    {
      cwd,
      env: { ...Object.fromEntries(own), ...env },
    },
  );
  child.stdin.end(input ?? '');
  return watched(child);
}

function programFolder(): string {
  const folder = process.env.GATEHOUSE_TEST_BUILD;
  if (folder) return folder;
  throw new Error('This test starts the program: run it without GATEHOUSE_TEST_SERVERS=none.');
}

function watched(child: ChildProcess): Program {
  const written = { output: '', stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      written.output += text;
      written[name] += text;
    });
  }
  let ended = false;
  const exit = once(child, 'close').then(([code]) => {
    ended = true;
    return code as number | null;
  });
  return {
    pid: child.pid ?? 0,
    output: () => written.output,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    ended: exit,
    hasEnded: () => ended,
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs the program to its end. If the exit code isn't 0, throws with the program's output. */
export async function runToEnd(args: string[], options: ProgramOptions): Promise<string> {
  const program = runProgram(args, options);
  const code = await program.ended;
  if (code !== 0) throw new Error(`gatehouse ${args.join(' ')} exited with ${code}:\n${program.output()}`);
  return program.output();
}
