import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../adapters/postgres/database.ts';
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

  test('without a database it names the missing setting', async () => {
    const program = runProgram(['migrate'], { env: {}, cwd: tmpdir() });
    expect(await program.ended).toBe(78);
    expect(program.output()).toContain('GATEHOUSE_DATABASE_URL is not set');
  });
});
