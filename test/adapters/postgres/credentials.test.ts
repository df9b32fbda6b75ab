import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Database, type DatabaseOptions, openDatabase } from '../../../adapters/postgres/database.ts';
import { rows } from '../../../adapters/postgres/sql.ts';
import type { Credential } from '../../../provider/lib/credentials.ts';
import { StoreUnavailable } from '../../../provider/lib/errors.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type ScramServer, startScramServer } from './scram-server.ts';

let server: ScramServer;
let pool: Database | undefined;
beforeAll(async () => {
  server = await startScramServer();
  await waitFor(() => isRefused('nobody'), { what: 'the server to check passwords' });
}, 120_000);
afterAll(() => server?.stop());

/** A secret whose reader has a cache, as Secrets Manager has. */
let stored: { current: Credential; pending?: Credential };
let cached: Credential;
let rereads: number;
beforeEach(async () => {
  rereads = 0;
  await server.run(`drop role if exists app; create role app login password 'one'`);
  await server.run(`drop role if exists app_clone; create role app_clone login password 'two'`);
  cached = { user: 'app', password: 'one' };
  stored = { current: cached };
});
afterEach(async () => {
  await pool?.close();
  pool = undefined;
});

const credentials = {
  current: async () => cached,
  candidates: async () => {
    rereads += 1;
    cached = stored.current;
    return [stored.current, ...(stored.pending ? [stored.pending] : [])];
  },
};

function open(options: Partial<DatabaseOptions> = {}): Database {
  const url = new URL(server.url);
  [url.username, url.password] = ['from_the_url', 'from-the-url'];
  pool = openDatabase({ url: url.href, credentials, ...options });
  return pool;
}

async function isRefused(user: string): Promise<boolean> {
  const url = new URL(server.url);
  [url.username, url.password] = [user, 'wrong'];
  const probe = openDatabase({ url: url.href });
  const error = await probe.ping().catch((reason: unknown) => reason);
  await probe.close();
  return String((error as Error | undefined)?.cause).includes('password authentication failed');
}

const userOf = async (database: Database) =>
  (await rows<{ name: string }>(database.knex, 'select session_user as name'))[0]?.name;

/** Ends the pool's connections, so that the next query opens one. */
async function dropConnections(): Promise<void> {
  await server.run("select pg_terminate_backend(pid) from pg_stat_activity where usename like 'app%'");
}

/** The user of a connection that was opened after `dropConnections`. A query on a lost connection fails first. */
const userOfNew = (database: Database) =>
  waitFor(() => userOf(database), { intervalMs: 10, what: 'a new connection' });

describe('a credential that rotates', () => {
  test('takes precedence over user name and password in the URL', async () => {
    expect(await userOf(open())).toBe('app');
    expect(rereads).toBe(0);
  });

  test('a new password of the same role is used by new connections, without a restart', async () => {
    const database = open();
    await userOf(database);
    await server.run("alter role app password 'three'");
    stored = { current: { user: 'app', password: 'three' } };
    await dropConnections();
    expect(await userOfNew(database)).toBe('app');
  });

  test('a new role with its own password is used, never the name of one with the password of the other', async () => {
    const database = open();
    await userOf(database);
    await server.run('alter role app nologin');
    await server.run("alter role app password 'changed'");
    stored = { current: { user: 'app_clone', password: 'two' } };
    await dropConnections();
    expect(await userOfNew(database)).toBe('app_clone');
  });

  test('between the change of the role and the change of the secret, the pending value is used', async () => {
    const database = open();
    await userOf(database);
    await server.run("alter role app password 'three'");
    stored = { current: cached, pending: { user: 'app', password: 'three' } };
    await dropConnections();
    expect(await userOfNew(database)).toBe('app');
    // It stays in use without another search.
    expect(rereads).toBe(1);
    await dropConnections();
    expect(await userOfNew(database)).toBe('app');
    expect(rereads).toBe(1);
  });

  test('a value that no reader can see yet is waited for, with one search for all connections', async () => {
    await server.run("alter role app password 'three'");
    const database = open({ poolMax: 10 });
    const asked = Promise.all(Array.from({ length: 10 }, () => rows(database.knex, 'select pg_sleep(0.05)')));
    await waitFor(() => rereads >= 2);
    stored = { current: { user: 'app', password: 'three' } };
    await asked;
    // Each round waits twice as long as the last one. Ten searches would have made ten times as many.
    expect(rereads).toBeLessThan(8);
  });

  test('the search ends with its budget, with the refusal of the server, and later ones look once only', async () => {
    await server.run("alter role app password 'unknown'");
    const database = open({ credentialBudgetMs: 300 });
    const failure = () => database.ping().catch((error: unknown) => error);
    const first = (await failure()) as StoreUnavailable;
    expect(first).toBeInstanceOf(StoreUnavailable);
    expect(first.cause).toMatchObject({ code: '28P01' });
    expect(rereads).toBe(2);
    await failure();
    expect(rereads).toBe(3);
    // Then the right value is found at once.
    stored = { current: { user: 'app', password: 'unknown' } };
    await database.ping();
  });

  test('another error than a refused password starts no search', async () => {
    await server.run('alter role app nologin');
    await expect(open().ping()).rejects.toBeInstanceOf(StoreUnavailable);
    expect(rereads).toBe(0);
  });

  test('a secret that cannot be read during the search is tried again', async () => {
    await server.run("alter role app password 'three'");
    let fails = 2;
    const candidates = async () => {
      fails -= 1;
      if (fails >= 0) throw new Error('no answer');
      return [{ user: 'app', password: 'three' }];
    };
    await open({ credentials: { ...credentials, candidates } }).ping();
    expect(fails).toBe(-1);
  });
});
