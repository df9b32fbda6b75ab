import type { Migration } from './migration.ts';

/** Addresses that get no mail. Times are milliseconds since the epoch. Earlier releases ignore them. */
export const mailSuppressions: Migration = {
  name: '0028-mail-suppressions',
  up: async (sql) => {
    await sql(`
      create table mail_suppressions (
        address text collate "C" primary key,
        reason text not null,
        at bigint not null,
        expires_at bigint not null
      )`);
    await sql('create index mail_suppressions_expires_at on mail_suppressions (expires_at)');
  },
};
