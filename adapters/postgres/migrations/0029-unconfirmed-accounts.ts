import type { Migration } from './migration.ts';

/**
 * Marks accounts that people created themselves and whose address is not proved yet. Accounts that exist already are not
 * marked, so nothing changes for them.
 */
export const unconfirmedAccounts: Migration = {
  name: '0029-unconfirmed-accounts',
  up: (sql) => sql('alter table accounts add column unconfirmed boolean not null default false'),
};
