import type { Migration } from './migration.ts';

/**
 * Second factors: the authenticator app of an account and its recovery codes, as hashes. The account itself says whether
 * it has a factor, so a sign-in without one needs no further query. Times are milliseconds since the epoch.
 */
export const secondFactors: Migration = {
  name: '0023-second-factors',
  up: async (sql) => {
    await sql('alter table accounts add column has_second_factor boolean not null default false');
    await sql(`
      create table second_factors (
        account_id text collate "C" primary key,
        id text collate "C" not null,
        sealed_secret text not null,
        last_step bigint not null,
        uses integer not null default 0,
        recovery_codes text[] not null default '{}',
        added_at bigint not null
      )`);
  },
};
