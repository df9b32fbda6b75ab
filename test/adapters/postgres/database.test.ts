import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Database, type DatabaseOptions, openDatabase } from '../../../adapters/postgres/database.ts';
import { PostgresSchema } from '../../../adapters/postgres/schema.ts';
import { affected, rows } from '../../../adapters/postgres/sql.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { StoreUnavailable } from '../../../provider/lib/errors.ts';
import { sampleAccount } from '../../contract/account-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/databases.ts';
import { freePort } from '../../support/free-port.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openDatabaseProxy } from './database-proxy.ts';

let server: TestDatabase;
let admin: Database;
const pools: Database[] = [];

const open = (options: Partial<DatabaseOptions> = {}): Database => {
  const pool = openDatabase({ url: server.url, ...options });
  pools.push(pool);
  return pool;
};

beforeAll(async () => {
  server = await createTestDatabase();
  admin = openDatabase({ url: server.url, applicationName: 'admin' });
  await new PostgresSchema({ db: admin.knex }).migrate();
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(async () => {
  await admin.close();
  await server.drop();
});

const terminate = (applicationName: string) =>
  affected(
    admin.knex,
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = :applicationName',
    { applicationName },
  );
const running = (applicationName: string) =>
  rows(
    admin.knex,
    "select from pg_stat_activity where application_name = :applicationName and state = 'active'",
    { applicationName },
  );

describe('openDatabase', () => {
  test('gives a dependency that answers until it is closed', async () => {
    const pool = open();
    expect(pool.name).toBe('postgres');
    await pool.ping();
    await pool.close();
    await expect(pool.ping()).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test('sends its application name and timeouts to the server', async () => {
    const pool = open({ applicationName: 'gatehouse serve', statementTimeoutMs: 1_234 });
    const settings =
      "select current_setting('application_name') as name, current_setting('statement_timeout') as limit";
    expect(await rows(pool.knex, settings)).toEqual([{ name: 'gatehouse serve', limit: '1234ms' }]);
  });

  test('opens no more connections than its limit', async () => {
    const pool = open({ applicationName: 'bounded', poolMax: 3 });
    // Each keeps its connection until the allowed number is open.
    const waiting = await admin.knex.transaction(async (held) => {
      await held.raw('select pg_advisory_xact_lock(20)');
      const asked = Array.from({ length: 20 }, () =>
        rows(pool.knex, 'select pg_advisory_xact_lock_shared(20)'),
      );
      await waitFor(async () => (await running('bounded')).length >= 3, { what: 'three that wait' });
      return asked;
    });
    await Promise.all(waiting);
    const sessions = 'select from pg_stat_activity where application_name = :name';
    expect(await rows(admin.knex, sessions, { name: 'bounded' })).toHaveLength(3);
  });

  test('passes SQL errors on unchanged', async () => {
    const asked = rows(open().knex, 'select * from nowhere');
    await expect(asked).rejects.toMatchObject({ code: '42P01' });
    await expect(asked).rejects.not.toBeInstanceOf(StoreUnavailable);
  });
});

describe('StoreUnavailable is thrown', () => {
  test('without the password if no server listens', async () => {
    const pool = open({ url: `postgres://gatehouse:hunter2@127.0.0.1:${await freePort()}/none` });
    const error = await pool.ping().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error).toMatchObject({ code: 'store_unavailable', cause: { code: 'ECONNREFUSED' } });
    expect(
      JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause),
    ).not.toContain('hunter2');
  });

  test('if the host or the database does not exist', async () => {
    await expect(open({ url: 'postgres://nobody.invalid/x' }).ping()).rejects.toBeInstanceOf(
      StoreUnavailable,
    );
    const url = new URL(server.url);
    url.pathname = '/gatehouse_no_such_database';
    await expect(open({ url: url.href }).ping()).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test('if the URL requires TLS and the server has none', async () => {
    const url = `${server.url}?sslmode=verify-full`;
    await expect(open({ url }).ping()).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test('if all connections are in use for too long', async () => {
    const pool = open({ poolMax: 1, acquireTimeoutMs: 50 });
    await pool.knex.transaction(async () => {
      await expect(pool.ping()).rejects.toBeInstanceOf(StoreUnavailable);
    });
    await pool.ping();
  });

  test('if a statement takes too long', async () => {
    const pool = open({ poolMax: 1, statementTimeoutMs: 50 });
    await expect(rows(pool.knex, 'select pg_sleep(60)')).rejects.toBeInstanceOf(StoreUnavailable);
    await pool.ping();
  });

  test('if the session ends during a query, and the next query uses a new session', async () => {
    const pool = open({ poolMax: 1, applicationName: 'ended' });
    const asked = rows(pool.knex, 'select pg_sleep(60)').catch((reason: unknown) => reason);
    await waitFor(async () => (await running('ended')).length === 1);
    await terminate('ended');
    expect(await asked).toBeInstanceOf(StoreUnavailable);
    await pool.ping();
  });

  test('if a transaction loses its session, and nothing of it is committed', async () => {
    const pool = open({ poolMax: 1, applicationName: 'lost' });
    const account = sampleAccount();
    const work = new PostgresUnitOfWork({ db: pool.knex }).run(async ({ accounts }) => {
      await accounts.insert(account);
      await terminate('lost');
      await accounts.update(account.id, { emailVerified: true }, 0);
    });
    await expect(work).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await rows(pool.knex, 'select from accounts where id = :id', { id: account.id })).toEqual([]);
  });
});

describe('a pool recovers from', () => {
  test('sessions that ended while they were idle', async () => {
    const pool = open({ poolMax: 2, applicationName: 'idle' });
    await Promise.all([pool.ping(), pool.ping()]);
    await terminate('idle');
    // A ping may be sent before the pool notices the closed socket. Then the ping fails, and the pool drops that session.
    await waitFor(() => pool.ping().then(() => true));
    await Promise.all(Array.from({ length: 10 }, () => pool.ping()));
  });

  test('a server that became read-only: it connects to the next one', async () => {
    const pool = open({ poolMax: 1 });
    const write = () => affected(pool.knex, 'delete from revocations');
    await write();
    await affected(pool.knex, 'set default_transaction_read_only = on');
    await expect(write()).rejects.toBeInstanceOf(StoreUnavailable);
    await write();
  });

  test('a network that drops all packets', async () => {
    const proxy = await openDatabaseProxy(server.url);
    const pool = open({ url: proxy.url, poolMax: 1, statementTimeoutMs: 100, connectTimeoutMs: 100 });
    try {
      await pool.ping();
      proxy.silence();
      await expect(pool.ping()).rejects.toBeInstanceOf(StoreUnavailable);
      // The silent connection isn't used again. This query fails while it opens a new one.
      expect(proxy.connections()).toBe(1);
      await expect(pool.ping()).rejects.toBeInstanceOf(StoreUnavailable);
      expect(proxy.connections()).toBe(2);
    } finally {
      await proxy.close();
    }
  });

  test('a rotated password, which new connections require', async () => {
    const proxy = await openDatabaseProxy(server.url);
    let current = 'first';
    let asked = 0;
    const credentials = {
      current: async () => {
        asked += 1;
        return { password: current };
      },
      candidates: async () => [{ password: current }],
    };
    try {
      proxy.demand('first');
      const url = new URL(proxy.url);
      url.password = 'from-the-url';
      const pool = open({ url: url.href, credentials, poolMax: 1, credentialBudgetMs: 0 });
      await pool.ping();
      await pool.ping();
      expect(asked).toBe(1);
      proxy.demand('second');
      proxy.hangUp();
      await waitFor(async () => {
        const error = await pool.ping().catch((reason: unknown) => reason);
        return error instanceof StoreUnavailable && String(error.cause).includes('password');
      });
      current = 'second';
      await pool.ping();
    } finally {
      await proxy.close();
    }
  });

  test('a password that could not be read', async () => {
    const proxy = await openDatabaseProxy(server.url);
    proxy.demand('secret');
    let readable = false;
    const current = () =>
      readable ? Promise.resolve({ password: 'secret' }) : Promise.reject(new Error('no such secret'));
    const credentials = { current, candidates: async () => [await current()] };
    const pool = open({ url: proxy.url, credentials, poolMax: 1 });
    try {
      await expect(pool.ping()).rejects.toMatchObject({
        code: 'store_unavailable',
        cause: { message: 'no such secret' },
      });
      readable = true;
      await pool.ping();
    } finally {
      await proxy.close();
    }
  });
});
