import type { Migration } from './migration.ts';

/** Wishes of people who lost every second factor. Times are milliseconds since the epoch. */
export const factorRemovals: Migration = {
  name: '0027-factor-removals',
  up: async (sql) => {
    await sql(`
      create table factor_removals (
        account_id text collate "C" primary key,
        factor_id text collate "C" not null,
        uses integer not null,
        generation integer not null,
        due_at bigint not null,
        expires_at bigint not null
      )`);
    await sql('create index factor_removals_expires_at on factor_removals (expires_at)');
  },
};
