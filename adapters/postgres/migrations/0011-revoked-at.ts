import type { Migration } from './migration.ts';

/**
 * Recent revocations are copied to Redis repeatedly. `revoked_at` selects them. It is a time of the database's clock,
 * which is the same for all processes.
 */
export const revokedAt: Migration = {
  name: '0011-revoked-at',
  up: async (sql) => {
    await sql('alter table revocations add column revoked_at timestamptz not null default now()');
    await sql('create index revocations_revoked_at on revocations (revoked_at)');
  },
};
