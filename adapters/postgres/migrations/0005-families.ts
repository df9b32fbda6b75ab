import type { Migration } from './migration.ts';

export const families: Migration = {
  name: '0005-families',
  up: async (sql) => {
    await sql(`
      create table families (
        id text collate "C" primary key,
        account_id text not null,
        client_id text not null,
        current_hash text collate "C" not null,
        previous_hash text,
        previous_spent_at bigint,
        payload text not null,
        expires_at bigint not null,
        ended boolean not null default false
      )`);
    await sql('create index families_expires_at on families (expires_at)');
  },
};
