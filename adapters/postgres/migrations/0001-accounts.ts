import type { Migration } from './migration.ts';

/**
 * All times in all tables are milliseconds since the epoch, as the ports have them. Identifiers are compared
 * by bytes (collation "C"), so order and equality don't depend on the database's locale. `json` and not
 * `jsonb`: it keeps \u0000, which people may send.
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
