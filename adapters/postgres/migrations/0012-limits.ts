import type { Migration } from './migration.ts';

/**
 * The counters of rate limits, for installations without Redis. They are written at every sign-in and may be lost, so
 * the table is unlogged. The fill factor keeps free space in each page, so that an updated row can stay in its page.
 * `wait_ms` is the result of the last step, because one statement both decides and returns it.
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
