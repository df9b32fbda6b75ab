import type { Migration } from './migration.ts';

export const revocations: Migration = {
  name: '0006-revocations',
  up: async (sql) => {
    await sql(`
      create table revocations (
        key text collate "C" primary key,
        expires_at bigint not null
      )`);
    await sql('create index revocations_expires_at on revocations (expires_at)');
  },
};
