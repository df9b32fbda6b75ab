import type { Migration } from './migration.ts';

export const consentIds: Migration = {
  name: '0009-consent-ids',
  up: async (sql) => {
    // By default, so that a release that knows of no ids gives some too.
    await sql(
      'alter table consents add column id text collate "C" not null default cast(gen_random_uuid() as text)',
    );
  },
};
