import type { Migration } from './migration.ts';

export const consentIds: Migration = {
  name: '0009-consent-ids',
  up: async (sql) => {
    // The database creates the id, so that consents get an id from an older release too, which does not know the
    // column.
    await sql(
      'alter table consents add column id text collate "C" not null default cast(gen_random_uuid() as text)',
    );
  },
};
