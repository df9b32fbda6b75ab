import { afterAll, beforeAll } from '@jest/globals';
import { type Database, openDatabase } from '../../../adapters/postgres/database.ts';
import { PostgresSchema } from '../../../adapters/postgres/schema.ts';
import type { Sql } from '../../../adapters/postgres/sql.ts';
import { type Clock, systemClock } from '../../../provider/lib/clock.ts';
import { createTestDatabase, type TestDatabase } from '../../support/databases.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

export type CreateStore<Store> = (deps: { db: Sql; clock: Clock }) => Store;

export interface OpenStore<Store> {
  store: Store;
  clock: ManualClock;
  another(): Store;
  close(): Promise<void>;
}

/** Creates a migrated database for the tests of a file. Returns a function that opens pools on it. */
export function useMigratedDatabase(): (poolMax?: number) => Database {
  let database: TestDatabase;
  const pools: Database[] = [];
  const open = (poolMax = 10) => {
    const pool = openDatabase({ url: database.url, poolMax });
    pools.push(pool);
    return pool;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
    await new PostgresSchema({ db: open().knex }).migrate();
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    await database.drop();
  });
  return open;
}

/** Empties the tables and opens a store. On request it opens more stores, each with its own pool. */
export function storeOpener<Store>(
  openPool: (poolMax?: number) => Database,
  create: CreateStore<Store>,
): () => Promise<OpenStore<Store>> {
  return async () => {
    const first = openPool();
    await emptyTables(first);
    const pools = [first];
    const clock = createManualClock(systemClock.now());
    return {
      store: create({ db: first.knex, clock }),
      clock,
      another: () => {
        const pool = openPool();
        pools.push(pool);
        return create({ db: pool.knex, clock });
      },
      close: async () => {
        await Promise.all(pools.map((pool) => pool.close()));
      },
    };
  };
}

export async function emptyTables({ knex }: Database): Promise<void> {
  await knex.raw(
    `truncate ${[
      'accounts',
      'consents',
      'outbox',
      'outbox_sequences',
      'oidc_artifacts',
      'oidc_ended_indexes',
      'families',
      'revocations',
      'account_index',
      'limits',
      'client_generations',
      'leases',
      'clients',
      'logout_receivers',
      'client_sessions',
      'logouts',
      'mails',
      'mail_suppressions',
      'second_factors',
      'one_time_tokens',
      'address_changes',
      'recent_sign_ins',
    ].join(', ')}`,
  );
}
