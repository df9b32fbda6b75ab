import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig, type PGlitePgConfig } from '@electric-sql/pglite/node-postgres';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { lockFolder } from './folder-lock.ts';

export interface EmbeddedDatabaseOptions {
  /**
   * The folder is created if it is missing, with access for its owner only. If it exists, only the folder of the database in
   * it is made private. Only one process at a time may open it.
   */
  dataFolder: string;
}

export interface EmbeddedDatabase {
  /** The connection for a Postgres client. There is only one session, so a pool on it must hold one connection. */
  readonly connection: PGlitePgConfig;
  /** Call it after the pool on `connection` was closed. */
  close(): Promise<void>;
}

/**
 * Postgres in this process, with its data in `dataFolder`. Committed data is kept even if the process is killed.
 * Creating a new folder takes seconds; opening an existing one takes less than one second.
 *
 * @throws ConfigurationError when another process uses the folder, or the data can't be read
 */
export async function openEmbeddedDatabase({
  dataFolder,
}: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  if ((await mkdir(dataFolder, { recursive: true, mode: 0o700 })) !== undefined)
    await chmod(dataFolder, 0o700);
  const lock = await lockFolder(dataFolder);
  try {
    const database = await openFolder(join(dataFolder, 'postgres'));
    return {
      connection: createPgConfig(database),
      close: async () => {
        await database.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openFolder(path: string): Promise<PGlite> {
  try {
    // The database creates files that all users may read, and other users may have access to the data folder.
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    return await PGlite.create(path);
  } catch (error) {
    // The embedded database may throw values that are not an Error.
    const reason = error instanceof Error ? error.message : JSON.stringify(error);
    throw new ConfigurationError([
      `The embedded database in ${path} can't be opened (${reason}). ` +
        'Its files are damaged or of another version: restore them, or move the folder away to start empty.',
    ]);
  }
}
