import type { Migration } from './migration.ts';

/** The process that does the work of a name until `expires_at`, by the clock of the database. */
export const leases: Migration = {
  name: '0018-leases',
  up: async (sql) => {
    await sql(`
      create table leases (
        name text collate "C" primary key,
        holder text not null,
        expires_at timestamptz not null
      )`);
  },
};
