import type { Migration } from './migration.ts';

/**
 * The number of revocations of each client. Rows are never deleted: a lower number would make revoked tokens valid
 * again.
 */
export const clientGenerations: Migration = {
  name: '0013-client-generations',
  up: async (sql) => {
    await sql(
      'create table client_generations (client_id text collate "C" primary key, generation integer not null)',
    );
  },
};
