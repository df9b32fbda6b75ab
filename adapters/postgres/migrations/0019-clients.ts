import type { Migration } from './migration.ts';

/**
 * Clients that commands, the operator and self-registration write. Each write takes the next number of the sequence as
 * the revision. `secrets` holds digests only. Earlier releases ignore the table.
 */
export const clients: Migration = {
  name: '0019-clients',
  up: async (sql) => {
    await sql('create sequence client_revisions');
    await sql(`
      create table clients (
        id text collate "C" primary key,
        source text not null,
        owner text collate "C" not null,
        document jsonb not null,
        secrets jsonb not null default '[]',
        revision bigint not null default nextval('client_revisions'),
        updated_at timestamptz not null default clock_timestamp()
      )`);
  },
};
