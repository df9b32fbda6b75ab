import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { randomToken } from '../../provider/lib/ids.ts';

export interface FolderLock {
  release(): Promise<void>;
}

const hasCode = (error: unknown, code: string) =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * The start time of the process, in clock ticks of the kernel (proc(5), field 22 of `stat`; field 2 may contain
 * spaces). In a container, every start may get the same pid. Only the start time distinguishes a new process from the
 * previous one. Empty on systems without /proc.
 */
async function startOf(pid: number): Promise<string> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function isAlive(holder: string): Promise<boolean> {
  const [pid = '', started = ''] = holder.trim().split(' ');
  if (!/^[1-9]\d*$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
  }
  return started === '' || started === (await startOf(Number(pid)));
}

/** Creates `path` with this text, completely or not at all. Gives false when it already exists. */
async function createExclusively(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomToken(8)}`;
  await writeFile(draft, text, { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

/**
 * Removes the lock of a dead process. If several processes try, only one may remove it, and only while it is still the
 * same lock. Otherwise the second process would remove the lock that the first has just created.
 */
async function removeStale(path: string, holder: string, mine: string): Promise<void> {
  const right = `${path}.takeover`;
  if (!(await createExclusively(right, mine))) return;
  try {
    if ((await readIfThere(path)) === holder) await unlink(path);
  } finally {
    await unlink(right);
  }
}

/**
 * Locks the folder for this process with a file that contains the pid. If the process that holds the lock is dead, this
 * process replaces the lock. The check detects only processes of this machine and container.
 *
 * @throws ConfigurationError when another process holds the lock
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'gatehouse.pid');
  const mine = `${process.pid} ${await startOf(process.pid)}\n`;
  if (!(await createExclusively(path, mine))) {
    const holder = await readIfThere(path);
    if (holder !== undefined && (await isAlive(holder))) throw occupied(folder, path, holder);
    if (holder !== undefined) await removeStale(path, holder, mine);
    if (!(await createExclusively(path, mine))) throw occupied(folder, path, await readIfThere(path));
  }
  return { release: () => unlink(path) };
}

function occupied(folder: string, path: string, holder: string | undefined): ConfigurationError {
  const pid = holder?.split(' ')[0];
  return new ConfigurationError([
    `Another gatehouse ${pid ? `(process ${pid}) ` : ''}runs on the data folder ${folder}. ` +
      `Stop it, or use another folder or a real database (GATEHOUSE_DATABASE_URL). If none runs, delete ${path} and ${path}.takeover.`,
  ]);
}
