import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Ends a stall. */
export type Resume = () => Promise<void>;

/**
 * Pauses these processes, as if their machine stalled. Connections stay open, and sent data waits. The processes
 * continue when the stall ends, or after a minute if the test run no longer exists.
 */
export function stallProcesses(ids: number[]): Resume {
  for (const id of ids) signal(id, 'SIGSTOP');
  const script = `sleep 60; kill -CONT ${ids.join(' ')}`;
  const failsafe = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore' });
  failsafe.unref();
  return async () => {
    for (const id of ids) signal(id, 'SIGCONT');
    // Signal the process group, to end the shell and its `sleep`.
    if (failsafe.pid !== undefined) signal(-failsafe.pid, 'SIGTERM');
  };
}

/** Pauses a process and all its children but one. Repeats until it finds no new children. */
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

/** Sends a signal. Ignores a process that has already ended. */
function signal(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Pauses a container. */
export async function stallContainer(name: string): Promise<Resume> {
  await run('docker', ['pause', name]);
  return async () => {
    await run('docker', ['unpause', name]);
  };
}
