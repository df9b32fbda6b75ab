import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { migrations } from '../../adapters/postgres/migrations/migrations.ts';
import { PostgresSchema } from '../../adapters/postgres/schema.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { runProgram, runToEnd } from '../support/program.ts';

const processes = 4;
const others = 16;

describe('gatehouse migrate', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  const options = () => ({ env: { GATEHOUSE_DATABASE_URL: database.url }, cwd: tmpdir() });

  async function migrateHere(): Promise<string[]> {
    const pool = openDatabase({ url: database.url, poolMax: 2 });
    try {
      return await new PostgresSchema({ db: pool.knex }).migrate();
    } finally {
      await pool.close();
    }
  }

  const appliedBy = (output: string) =>
    /^Applied: (?<names>.+)$/m.exec(output)?.groups?.names?.split(', ') ?? [];

  test('twenty parallel runs apply each migration once, and a second run has nothing to do', async () => {
    const outputs = Array.from({ length: processes }, () => runToEnd(['migrate'], options()));
    const lists = await Promise.all([
      ...outputs.map(async (output) => appliedBy(await output)),
      ...Array.from({ length: others }, migrateHere),
    ]);
    const applied = lists.flat();
    expect(applied.length).toBeGreaterThan(0);
    expect([...new Set(applied)].sort()).toEqual([...applied].sort());

    expect(await runToEnd(['migrate'], options())).toMatch(/^Nothing to do/);
    const pool = openDatabase({ url: database.url });
    expect(await new PostgresSchema({ db: pool.knex }).pending()).toEqual([]);
    await pool.close();
  });

  test('accounts with one address in two spellings stop it; after one is disabled, the other keeps the address', async () => {
    const two = await createTestDatabase();
    const pool = openDatabase({ url: two.url, poolMax: 1 });
    const env = { GATEHOUSE_DATABASE_URL: two.url };
    const migrate = async (...more: string[]) => {
      const program = runProgram(['migrate', ...more], { env, cwd: tmpdir() });
      return { code: await program.ended, output: program.output() };
    };
    try {
      const earlier = migrations.filter(({ name }) => name < '0015');
      await new PostgresSchema({ db: pool.knex, list: earlier }).migrate();
      await pool.knex.raw(
        `insert into accounts (id, email, email_key, email_verified, roles, metadata, state, generation, created_at,
           updated_at)
         select id, email, email, true, '[]', '{}', 'active', 0, 0, 0
         from unnest(array['user_a', 'user_b'], array['john@bücher.example', 'john@xn--bcher-kva.example'])
           as given (id, email)`,
      );
      const refused = await migrate();
      expect(refused.code).toBe(1);
      for (const part of ['user_a', 'user_b', 'john@bücher.example', 'gatehouse accounts disable <id>'])
        expect(refused.output).toContain(part);
      const { error } = JSON.parse((await migrate('--json')).output);
      expect(error).toMatchObject({
        code: 'migration_refused',
        problems: [expect.stringContaining('user_b')],
      });
      await pool.knex.raw("update accounts set state = 'disabled' where id = 'user_a'");
      expect(await migrate()).toMatchObject({
        code: 0,
        output: expect.stringContaining('0015-normal-addresses'),
      });
      const enable = runProgram(['accounts', 'enable', 'user_a'], { env, cwd: tmpdir() });
      expect(await enable.ended).toBe(1);
      expect(enable.output()).toContain('is now the address of user_b');
    } finally {
      await pool.close();
      await two.drop();
    }
  });

  test('without a database it names the missing setting', async () => {
    const program = runProgram(['migrate'], { env: {}, cwd: tmpdir() });
    expect(await program.ended).toBe(78);
    expect(program.output()).toContain('GATEHOUSE_DATABASE_URL is not set');
  });
});
