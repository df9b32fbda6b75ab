import type { Migration } from './migration.ts';

/**
 * Times are milliseconds since the epoch, as in the ports. Identifiers are compared by bytes (collation "C"), so order
 * and equality do not depend on the database's locale. The columns are `json` and not `jsonb`, because `jsonb` can't
 * store \u0000, which a request may contain.
 */
export const accounts: Migration = {
  name: '0001-accounts',
  up: async (sql) => {
    await sql(`
      create table accounts (
        id text collate "C" primary key,
        email text not null,
        email_key text collate "C" not null unique,
        email_verified boolean not null,
        password_hash text,
        roles json not null,
        metadata json not null,
        state text not null,
        generation integer not null,
        created_at bigint not null,
        updated_at bigint not null
      )`);
  },
};
