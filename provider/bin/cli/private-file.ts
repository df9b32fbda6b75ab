import { access, link, open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { randomToken } from '../../lib/ids.ts';
import { CommandFailure } from './command-failure.ts';

const exists = (path: string) =>
  new CommandFailure(
    'cannotCreate',
    `${path} is there already. Name another file, or replace it with --force.`,
    {
      code: 'exists',
    },
  );

/** Throws a CommandFailure when the file exists. Call this before long work. */
export async function refuseExisting(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) throw exists(path);
}

/**
 * Writes a file of mode 0600, either completely or not at all. Throws a CommandFailure when the file exists (unless it
 * may be replaced) or can't be written. Errors that `content` throws are thrown on.
 */
export async function writePrivateFile(
  path: string,
  content: AsyncIterable<string | Uint8Array>,
  { replace }: { replace: boolean },
): Promise<void> {
  const draft = `${path}.${randomToken(6)}.partial`;
  try {
    const file = await open(draft, 'wx', 0o600);
    await pipeline(content, file.createWriteStream({ flush: true }));
    // Unlike a rename, a link fails if another process has created a file of this name in the meantime.
    await (replace ? rename(draft, path) : link(draft, path));
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || !['open', 'write', 'fsync', 'close', 'rename', 'link'].includes(syscall ?? ''))
      throw error;
    if (code === 'EEXIST') throw exists(path);
    const message = `The file ${path} can't be written (${code}). Check its folder, permissions and space.`;
    throw new CommandFailure('cannotCreate', message, { code: 'unwritable' });
  } finally {
    await rm(draft, { force: true });
  }
}
