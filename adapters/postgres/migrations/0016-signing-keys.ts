import type { Migration } from './migration.ts';

/** The key set, for installations that keep it in Postgres. There is at most one row. `sealed` is encrypted. */
export const signingKeys: Migration = {
  name: '0016-signing-keys',
  up: async (sql) => {
    await sql(`
      create table signing_keys (
        one boolean primary key default true check (one),
        version text not null,
        sealed text not null
      )`);
  },
};
