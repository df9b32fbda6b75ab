import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  /** A `postgres://` URL of this database alone. */
  url: string;
  /** Drops the database, ending connections that are still open. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** The URL of a test database to copy. It must have no connection during the copy. */
  template?: string;
}

/** The URL of the server's own database, on which databases are created. */
export function testServerUrl(): string {
  const url = process.env.GATEHOUSE_TEST_DATABASE_URL;
  if (url) return url;
  throw new Error(
    'This test needs Postgres, and none was started: run it without GATEHOUSE_TEST_SERVERS=none.',
  );
}

/** Creates an empty (or copied) database with a new name on the tests' Postgres. The role must be allowed to create databases. */
export async function createTestDatabase({ template }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `gatehouse_test_${randomBytes(8).toString('hex')}`;
  // template0 is never connected to, so parallel tests don't get 'source database is being accessed'.
  const source = template === undefined ? 'template0' : new URL(template).pathname.slice(1);
  await onServer(`CREATE DATABASE "${name}" TEMPLATE "${source}"`);
  const url = new URL(testServerUrl());
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`) };
}

async function onServer(sql: string): Promise<void> {
  const client = new Client({ connectionString: testServerUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
