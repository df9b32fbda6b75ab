import type { Migration } from './migration.ts';

/**
 * Passkeys, and the user handle of each account that had one. An account whose only second factors are passkeys has a
 * row in `second_factors` too, for its recovery codes. `has_app` says that this row has an authenticator app. Times are
 * milliseconds since the epoch.
 */
export const passkeys: Migration = {
  name: '0026-passkeys',
  up: async (sql) => {
    await sql(`
      create table passkey_users (
        account_id text collate "C" primary key,
        user_handle text collate "C" not null unique
      )`);
    await sql(`
      create table passkeys (
        id text collate "C" primary key,
        account_id text collate "C" not null,
        public_key text not null,
        counter bigint not null,
        transports text[] not null,
        is_shareable boolean not null,
        is_backed_up boolean not null,
        name text not null,
        created_at bigint not null,
        last_used_at bigint
      )`);
    await sql('create index passkeys_account on passkeys (account_id, created_at)');
    await sql('alter table second_factors add column has_app boolean not null default true');
  },
};
