import { open } from 'node:fs/promises';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import type { Logger } from '../../provider/lib/logger.ts';
import {
  breachDigest,
  filterHeaderBytes,
  filterPositions,
  readFilterHeader,
} from '../../provider/lib/password-filter.ts';
import type { PasswordBlocklist } from '../../provider/ports/password-blocklist.ts';

function refuse(path: string, problem: string): never {
  throw new ConfigurationError([`GATEHOUSE_PASSWORD_BLOCKLIST names ${path}. ${problem}`]);
}

/**
 * A blocklist in a file that `gatehouse passwords blocklist build` wrote. The file stays open, so it can be replaced by
 * a new one while the process works with the old one.
 *
 * @throws ConfigurationError when the file cannot be read, is no blocklist, or is not complete
 */
export async function openPasswordFilter(
  path: string,
  { logger }: { logger: Pick<Logger, 'warn'> },
): Promise<PasswordBlocklist> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) =>
    refuse(path, `The file can't be read (${error.code ?? 'unreadable'}).`),
  );
  const readByte = async (at: number) => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, filterHeaderBytes + at);
    if (bytesRead === 0) throw new Error(`the blocklist ${path} became shorter`);
    return buffer[0] ?? 0;
  };
  try {
    const { buffer } = await file.read(Buffer.alloc(filterHeaderBytes), 0, filterHeaderBytes, 0);
    const header = readFilterHeader(buffer);
    if (!header) refuse(path, 'That is no blocklist. Make one with gatehouse passwords blocklist build.');
    const { size } = await file.stat();
    if (size !== filterHeaderBytes + header.bits / 8)
      refuse(path, 'The file is not complete. Build it again, or copy it again.');
    return { has: (password) => hasAllBits(password, header.bits) };
  } catch (error) {
    await file.close();
    throw error;
  }

  async function hasAllBits(password: string, bits: number): Promise<boolean> {
    try {
      for (const position of filterPositions(breachDigest(password), bits)) {
        const isSet = (await readByte(Math.floor(position / 8))) & (1 << (position % 8));
        if (!isSet) return false;
      }
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'password blocklist could not be read');
      return false;
    }
  }
}
