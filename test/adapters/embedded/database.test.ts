import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../../../adapters/embedded/database.ts';
import { PostgresAccountStore } from '../../../adapters/postgres/account-store.ts';
import { type Database, openDatabase } from '../../../adapters/postgres/database.ts';
import { PostgresSchema } from '../../../adapters/postgres/schema.ts';
import { ConfigurationError } from '../../../provider/lib/errors.ts';
import { packageRoot } from '../../../provider/lib/package-root.ts';
import { sampleAccount } from '../../contract/account-store.ts';

// A new embedded database takes seconds on a free core, and much longer on a busy one.
jest.setTimeout(180_000);

let folder: string;
let dataFolder: string;
const opened: { embedded: EmbeddedDatabase; pool: Database }[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  dataFolder = join(folder, 'data');
});
afterEach(async () => {
  await closeAll();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

async function open(): Promise<Database> {
  const embedded = await openEmbeddedDatabase({ dataFolder });
  const pool = openDatabase({ connection: embedded.connection });
  opened.push({ embedded, pool });
  return pool;
}

async function closeAll(): Promise<void> {
  for (const { embedded, pool } of opened.splice(0)) {
    await pool.close();
    await embedded.close();
  }
}

/** Starts another process that opens the folder, stores an account and keeps running. Resolves when the account is stored. */
async function openElsewhere(account: object): Promise<ChildProcess> {
  const adapters = join(packageRoot, 'adapters');
  const script = `
    const { openEmbeddedDatabase } = await import(${JSON.stringify(join(adapters, 'embedded/database.ts'))});
    const { openDatabase } = await import(${JSON.stringify(join(adapters, 'postgres/database.ts'))});
    const { PostgresSchema } = await import(${JSON.stringify(join(adapters, 'postgres/schema.ts'))});
    const { PostgresAccountStore } = await import(${JSON.stringify(join(adapters, 'postgres/account-store.ts'))});
    const { connection } = await openEmbeddedDatabase({ dataFolder: ${JSON.stringify(dataFolder)} });
    const { knex: db } = openDatabase({ connection });
    await new PostgresSchema({ db }).migrate();
    await new PostgresAccountStore({ db }).insert(${JSON.stringify(account)});
    console.log('stored');
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the other process ended')));
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => {});
  return child;
}

describe('openEmbeddedDatabase', () => {
  test('keeps its data between starts, in a folder that only the owner can read', async () => {
    const account = sampleAccount();
    const first = await open();
    await new PostgresSchema({ db: first.knex }).migrate();
    await new PostgresAccountStore({ db: first.knex }).insert(account);
    expect((await stat(dataFolder)).mode & 0o777).toBe(0o700);
    expect((await readFile(join(dataFolder, 'gatehouse.pid'), 'utf8')).split(' ')[0]).toBe(
      String(process.pid),
    );
    await closeAll();
    expect(await readdir(dataFolder)).toEqual(['postgres']);

    const second = await open();
    await second.ping();
    expect(await new PostgresSchema({ db: second.knex }).pending()).toEqual([]);
    expect(await new PostgresAccountStore({ db: second.knex }).findById(account.id)).toEqual(account);
  });

  test('keeps its data private in a folder that others may read, and with any umask', async () => {
    const before = process.umask(0);
    try {
      await mkdir(dataFolder, { mode: 0o755 });
      await open();
      expect((await stat(join(dataFolder, 'postgres'))).mode & 0o777).toBe(0o700);
      await closeAll();
      // As an earlier version left it.
      await chmod(join(dataFolder, 'postgres'), 0o755);
      await open();
      expect((await stat(join(dataFolder, 'postgres'))).mode & 0o777).toBe(0o700);
      expect((await stat(dataFolder)).mode & 0o777).toBe(0o755);
    } finally {
      process.umask(before);
    }
  });

  test('refuses a folder that another process uses, and opens it after that process was killed', async () => {
    const account = sampleAccount();
    const child = await openElsewhere(account);
    const refused = openEmbeddedDatabase({ dataFolder });
    await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
    await expect(refused).rejects.toThrow(new RegExp(`process ${child.pid}.*${dataFolder}.*Stop it`));

    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const { knex: db } = await open();
    expect(await new PostgresAccountStore({ db }).findById(account.id)).toEqual(account);
  });

  test('releases the folder if the database cannot be opened', async () => {
    await mkdir(dataFolder);
    await writeFile(join(dataFolder, 'postgres'), 'not a folder');
    await expect(openEmbeddedDatabase({ dataFolder })).rejects.toThrow(/can't be opened.*move the folder/);
    expect(existsSync(join(dataFolder, 'gatehouse.pid'))).toBe(false);
  });
});
