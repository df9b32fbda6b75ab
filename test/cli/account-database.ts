import { afterAll, beforeAll } from '@jest/globals';
import { PostgresAccountStore } from '../../adapters/postgres/account-store.ts';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresOutbox } from '../../adapters/postgres/outbox.ts';
import { PostgresPasskeys } from '../../adapters/postgres/passkeys.ts';
import { PostgresSecondFactors } from '../../adapters/postgres/second-factors.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import { newId } from '../../provider/lib/ids.ts';
import type { Account, AccountStore } from '../../provider/ports/account-store.ts';
import type { Passkeys } from '../../provider/ports/passkeys.ts';
import type { SecondFactors } from '../../provider/ports/second-factors.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { apisFile, audience, createWorkplace, type Workplace } from './command.ts';

export interface AccountDatabase {
  place(): Workplace;
  /** The environment variables with which commands find the database. */
  env(): Record<string, string>;
  store(): AccountStore;
  factors(): SecondFactors;
  passkeys(): Passkeys;
  /** Inserts an account. Its address and id are unique unless they are given. */
  add(account?: Partial<Account>): Promise<Account>;
  /** The events since the last call, as type and data, in order for each account. */
  events(): Promise<[type: string, data: Record<string, unknown>][]>;
}

/** Creates a migrated database for one test file, and a folder to run commands in. */
export function useAccountDatabase(): AccountDatabase {
  let place: Workplace;
  let database: TestDatabase;
  let pool: Database;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = openDatabase({ url: database.url, poolMax: 1 });
    env = {
      GATEHOUSE_DATABASE_URL: database.url,
      GATEHOUSE_AUDIENCE: audience,
      GATEHOUSE_APIS_FILE: 'apis.yaml',
    };
    place = await createWorkplace(env);
    await place.write('apis.yaml', apisFile);
    const { code, stderr } = await place.gatehouse(['migrate']);
    if (code !== 0) throw new Error(stderr);
  }, 120_000);
  afterAll(async () => {
    await pool.close();
    await Promise.all([database.drop(), place.remove()]);
  });
  const claim = async () => {
    const outbox = new PostgresOutbox({ db: pool.knex });
    const now = systemClock.now();
    const claimed = await outbox.claim(1000, now, 1000);
    await outbox.markPublished(
      claimed.map(({ id }) => id),
      now,
    );
    return claimed;
  };
  const events = async () => {
    const all: [string, Record<string, unknown>][] = [];
    for (let batch = await claim(); batch.length > 0; batch = await claim()) {
      all.push(...batch.map(({ type, data }): [string, Record<string, unknown>] => [type, data]));
    }
    return all;
  };
  const store = () => new PostgresAccountStore({ db: pool.knex });
  const add = async (given: Partial<Account> = {}) => {
    const id = newId('user');
    const account: Account = {
      id,
      email: `${id}@example.com`,
      emailVerified: false,
      roles: [],
      metadata: {},
      state: 'active',
      tokenVersion: 0,
      createdAt: 1_700_000_000_000,
      updatedAt: 1_700_000_000_000,
      ...given,
    };
    await store().insert(account);
    return account;
  };
  const factors = () => new PostgresSecondFactors({ db: pool.knex });
  const passkeys = () => new PostgresPasskeys({ db: pool.knex });
  return { place: () => place, env: () => env, store, factors, passkeys, add, events };
}
