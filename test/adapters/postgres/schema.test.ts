import { expect, test } from '@jest/globals';
import { type Database, openDatabase } from '../../../adapters/postgres/database.ts';
import type { Migration } from '../../../adapters/postgres/migrations/migration.ts';
import { migrations } from '../../../adapters/postgres/migrations/migrations.ts';
import { PostgresSchema } from '../../../adapters/postgres/schema.ts';
import { rows } from '../../../adapters/postgres/sql.ts';
import { schemaContract } from '../../contract/schema.ts';
import { createTestDatabase } from '../../support/databases.ts';

async function openEmpty(statementTimeoutMs = 10_000) {
  const database = await createTestDatabase();
  const pools: Database[] = [];
  const another = async (list?: readonly Migration[]) => {
    const pool = openDatabase({ url: database.url, poolMax: 1, statementTimeoutMs });
    pools.push(pool);
    return new PostgresSchema({ db: pool.knex, ...(list && { list }) });
  };
  return {
    schema: await another(),
    another,
    pools,
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      await database.drop();
    },
  };
}

schemaContract('PostgresSchema', openEmpty);

test('the names of migrations are the file names, in order', () => {
  const names = migrations.map(({ name }) => name);
  expect(names.every((name) => /^\d{4}-[a-z-]+$/.test(name))).toBe(true);
  expect(names).toEqual([...new Set(names)].sort());
});

test('a migration that fails changes nothing, and is tried again', async () => {
  const { another, pools, close } = await openEmpty();
  let broken = true;
  const list: Migration[] = [
    { name: '0001-good', up: (sql) => sql('create table good (id integer)') },
    {
      name: '0002-bad',
      up: async (sql) => {
        await sql('create table half_done (id integer)');
        if (broken) await sql('select * from nowhere');
      },
    },
  ];
  try {
    const schema = await another(list);
    await expect(schema.migrate()).rejects.toMatchObject({ code: '42P01' });
    expect(await schema.pending()).toEqual(['0002-bad']);
    const found = await rows(pools[0]?.knex ?? fail(), "select to_regclass('half_done') is null as absent");
    expect(found).toEqual([{ absent: true }]);
    broken = false;
    expect(await schema.migrate()).toEqual(['0002-bad']);
  } finally {
    await close();
  }
});

test('a migration may take longer than the statement timeout, and other processes wait for it', async () => {
  const { another, close } = await openEmpty(400);
  let runs = 0;
  const slow: Migration = {
    name: '0001-slow',
    up: async (sql) => {
      runs += 1;
      await sql('select pg_sleep(3)');
    },
  };
  try {
    const schemas = [await another([slow]), await another([slow]), await another([slow])];
    const applied = await Promise.all(schemas.map((schema) => schema.migrate()));
    expect(applied.flat()).toEqual(['0001-slow']);
    expect(runs).toBe(1);
  } finally {
    await close();
  }
});

test('migrations of a later release are ignored', async () => {
  const { another, close } = await openEmpty();
  const [first, second]: Migration[] = ['0001-first', '0002-second'].map((name) => ({
    name,
    up: (sql) => sql('select 1'),
  }));
  try {
    if (!first || !second) throw new Error('unreachable');
    await (await another([first, second])).migrate();
    const older = await another([first]);
    expect(await older.pending()).toEqual([]);
    expect(await older.migrate()).toEqual([]);
  } finally {
    await close();
  }
});

function fail(): never {
  throw new Error('no pool');
}
