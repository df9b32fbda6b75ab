import type { Migration } from './migration.ts';

/**
 * What limits count where there is no Redis. It is written at every sign-in and may be lost, so it is unlogged. A row has
 * room to be written anew in its page. `wait_ms` is what the last step answered: one statement decides and tells.
 */
export const limits: Migration = {
  name: '0012-limits',
  up: async (sql) => {
    await sql(`
      create unlogged table limits (
        key text primary key,
        at bigint not null,
        tries integer not null default 0,
        known_until bigint not null default 0,
        wait_ms bigint not null,
        expires_at bigint not null
      ) with (fillfactor = 70)`);
    await sql('create index limits_expires_at on limits (expires_at)');
  },
};
