import type { Migration } from './migration.ts';

export const consents: Migration = {
  name: '0002-consents',
  up: async (sql) => {
    await sql(`
      create table consents (
        account_id text collate "C" not null,
        client_id text collate "C" not null,
        oidc_scopes text[] not null,
        resource_scopes jsonb not null,
        created_at bigint not null,
        updated_at bigint not null,
        primary key (account_id, client_id)
      )`);
  },
};
