import { Client } from 'pg';
import type { Deployment } from '../../support/deployment.ts';

export interface RowCounts {
  /** Counts the rows that requests of people can write. */
  now(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** Counts over one connection. Another process can't query the embedded database, so there it counts nothing. */
export async function openRowCounts({ databaseUrl }: Deployment): Promise<RowCounts> {
  if (databaseUrl === undefined) return { now: async () => ({}), close: async () => {} };
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  return {
    now: async () => {
      // Only events of people, because a background task writes others.
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
