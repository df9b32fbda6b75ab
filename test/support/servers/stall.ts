import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Ends a stall. */
export type Resume = () => Promise<void>;

/**
 * Stops these processes where they are, as when their machine stalls: connections stay open, and what is sent waits. They
 * go on when the stall is ended, or after a minute if the test run isn't there any more to end it.
 */
export function stallProcesses(ids: number[]): Resume {
  for (const id of ids) signal(id, 'SIGSTOP');
  const script = `sleep 60; kill -CONT ${ids.join(' ')}`;
  const failsafe = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore' });
  failsafe.unref();
  return async () => {
    for (const id of ids) signal(id, 'SIGCONT');
    // With the `sleep` it waits for.
    if (failsafe.pid !== undefined) signal(-failsafe.pid, 'SIGTERM');
  };
}

/** The same for a process and all but one of its children, those too that it is just starting: until there are no more. */
export async function stallWithChildren(parent: number, { but }: { but: number }): Promise<Resume> {
  const resumes = [stallProcesses([parent])];
  const stalled = new Set([but]);
  for (let quiet = 0; quiet < 2; quiet++) {
    const others = (await childrenOf(parent)).filter((id) => !stalled.has(id));
    if (others.length === 0) continue;
    quiet = 0;
    resumes.push(stallProcesses(others));
    for (const id of others) stalled.add(id);
  }
  return async () => {
    for (const resume of resumes.reverse()) await resume();
  };
}

async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return rows.flatMap(([id, parentId]) => (id !== undefined && parentId === parent ? [id] : []));
}

/** One that has ended meanwhile needs no signal. */
function signal(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The same for a container. */
export async function stallContainer(name: string): Promise<Resume> {
  await run('docker', ['pause', name]);
  return async () => {
    await run('docker', ['unpause', name]);
  };
}
