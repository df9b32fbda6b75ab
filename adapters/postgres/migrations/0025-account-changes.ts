import type { Migration } from './migration.ts';

/**
 * Changes of addresses that wait for a confirmation or can be undone, and the last sign-ins of each account. Times are
 * milliseconds since the epoch. Earlier releases ignore both tables.
 */
export const accountChanges: Migration = {
  name: '0025-account-changes',
  up: async (sql) => {
    await sql(`
      create table address_changes (
        position bigint generated always as identity primary key,
        id text collate "C" not null unique,
        account_id text collate "C" not null,
        from_key text collate "C" not null,
        from_email text not null,
        to_email text not null,
        is_done boolean not null default false,
        expires_at bigint not null
      )`);
    await sql(
      'create unique index address_changes_pending on address_changes (account_id) where not is_done',
    );
    await sql('create index address_changes_account on address_changes (account_id, position)');
    await sql('create index address_changes_from on address_changes (from_key)');
    await sql('create index address_changes_expires_at on address_changes (expires_at)');
    await sql(`
      create table recent_sign_ins (
        position bigint generated always as identity primary key,
        account_id text collate "C" not null,
        at bigint not null,
        client_id text not null,
        amr text[] not null,
        ip text,
        user_agent text,
        expires_at bigint not null
      )`);
    await sql('create index recent_sign_ins_account on recent_sign_ins (account_id, position)');
    await sql('create index recent_sign_ins_expires_at on recent_sign_ins (expires_at)');
  },
};
