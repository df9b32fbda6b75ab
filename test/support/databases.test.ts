import { describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createTestDatabase, testServerUrl } from './databases.ts';

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('createTestDatabase', () => {
  test('creates separate, empty databases', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await query(one.url, 'CREATE TABLE things (name text)');
    const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    expect(await query(one.url, tables)).toEqual([{ tablename: 'things' }]);
    expect(await query(two.url, tables)).toEqual([]);
    await Promise.all([one.drop(), two.drop()]);
  });

  test('copies a template', async () => {
    const template = await createTestDatabase();
    await query(template.url, "CREATE TABLE things AS SELECT 'a' AS name");
    const copy = await createTestDatabase({ template: template.url });
    expect(await query(copy.url, 'SELECT name FROM things')).toEqual([{ name: 'a' }]);
    await Promise.all([template.drop(), copy.drop()]);
  });

  test('drops a database that is still in use, and can drop it twice', async () => {
    const database = await createTestDatabase();
    const client = new Client({ connectionString: database.url });
    const ended = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await database.drop();
    await database.drop();
    expect(await ended).toMatchObject({ message: expect.stringMatching(/terminat/) });
    const name = new URL(database.url).pathname.slice(1);
    expect(await query(testServerUrl(), `SELECT 1 FROM pg_database WHERE datname = '${name}'`)).toEqual([]);
  });

  test('the server lowercases letters beyond ASCII', async () => {
    expect(await query(testServerUrl(), "SELECT lower('ÄÉ') AS lowered")).toEqual([{ lowered: 'äé' }]);
  });
});
