import type { Migration } from './migration.ts';

export const accountIndex: Migration = {
  name: '0007-account-index',
  up: async (sql) => {
    await sql(`
      create table account_index (
        account_id text collate "C" not null,
        id text collate "C" not null,
        kind text not null,
        details text not null,
        expires_at bigint not null,
        primary key (account_id, id)
      )`);
    await sql('create index account_index_expires_at on account_index (expires_at)');
  },
};
