import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../../adapters/postgres/database.ts';
import { PostgresKeyStore } from '../../../adapters/postgres/key-store.ts';
import { createServerKeys } from '../../../provider/lib/server-keys.ts';
import { keyStoreContract } from '../../contract/key-store.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();
const sealsOf = (...secrets: [string, ...string[]]) => {
  const keys = createServerKeys(secrets);
  return async () => keys;
};
const [one, two] = ['first secret', 'second secret'];
const clear = ({ knex }: Database) => knex.raw('truncate signing_keys');

keyStoreContract('PostgresKeyStore', async () => {
  const pools: Database[] = [];
  return {
    newPlace: async () => {
      const pool = openPool();
      pools.push(pool);
      await clear(pool);
      return { connect: () => new PostgresKeyStore({ db: pool.knex, seals: sealsOf(one) }) };
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
});

describe('PostgresKeyStore', () => {
  let pool: Database;
  const open = (...secrets: [string, ...string[]]) =>
    new PostgresKeyStore({ db: pool.knex, seals: sealsOf(...secrets) });
  beforeAll(async () => {
    pool = openPool();
    await clear(pool);
    await open(one).save('private key', undefined);
  });

  test('stores no readable key', async () => {
    const { rows } = await pool.knex.raw('select * from signing_keys');
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('private');
  });

  test('reads the set with the old secret behind the new one, and encrypts it with the new one', async () => {
    const stored = await open(two, one).load();
    expect(stored?.value).toBe('private key');
    expect(await open(two, one).save('next', stored?.version)).toBe(true);
    expect((await open(two).load())?.value).toBe('next');
  });

  test('says which setting lacks the secret', async () => {
    await expect(open('another secret').load()).rejects.toThrow(/GATEHOUSE_KEYS_SECRET does not contain/);
  });
});
