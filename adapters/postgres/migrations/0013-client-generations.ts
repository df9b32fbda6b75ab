import type { Migration } from './migration.ts';

/** Clients that were revoked, and how often. Rows stay: a number that went back would bring back what it ended. */
export const clientGenerations: Migration = {
  name: '0013-client-generations',
  up: async (sql) => {
    await sql(
      'create table client_generations (client_id text collate "C" primary key, generation integer not null)',
    );
  },
};
