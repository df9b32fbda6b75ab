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
