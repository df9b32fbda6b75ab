import { Client } from 'pg';
import type { Deployment } from '../../support/deployment.ts';

export interface RowCounts {
  /** How many rows there are of what a request may write for a person. */
  now(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** Counts over one connection. The embedded database can't be asked from outside: there it counts nothing. */
export async function openRowCounts({ databaseUrl }: Deployment): Promise<RowCounts> {
  if (databaseUrl === undefined) return { now: async () => ({}), close: async () => {} };
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  return {
    now: async () => {
      // Only events of people: others are written in the background.
      const { rows } = await client.query<Record<string, number>>(
        `select (select count(*) from accounts)::int as accounts,
           (select count(*) from consents)::int as consents,
           (select count(*) from outbox where type like 'user.%')::int as events`,
      );
      return rows[0] ?? {};
    },
    close: () => client.end(),
  };
}
