import type { Migration } from './migration.ts';

/**
 * When each sign-in was last used, so that a page of the list is read without the rest. The last release writes no value:
 * its entries have the time 0.
 */
export const accountIndexUsedAt: Migration = {
  name: '0014-account-index-used-at',
  up: async (sql) => {
    await sql('alter table account_index add column used_at bigint not null default 0');
    await sql('create index account_index_used_at on account_index (account_id, used_at desc, id desc)');
  },
};
