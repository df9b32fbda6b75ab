import type { Migration } from './migration.ts';

/** What was revoked lately is copied to Redis again and again; by the database's clock, which is one. */
export const revokedAt: Migration = {
  name: '0011-revoked-at',
  up: async (sql) => {
    await sql('alter table revocations add column revoked_at timestamptz not null default now()');
    await sql('create index revocations_revoked_at on revocations (revoked_at)');
  },
};
