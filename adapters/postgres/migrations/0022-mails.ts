import type { Migration } from './migration.ts';

/** Mails that wait for their delivery. Times are milliseconds since the epoch. Earlier releases ignore them. */
export const mails: Migration = {
  name: '0022-mails',
  up: async (sql) => {
    await sql(`
      create table mails (
        id text collate "C" primary key,
        kind text not null,
        account_id text,
        content text not null,
        created_at bigint not null,
        expires_at bigint not null,
        attempts integer not null default 0,
        due_at bigint not null default 0,
        reason text,
        set_aside boolean not null default false
      )`);
    await sql('create index mails_due on mails (due_at) where not set_aside');
    await sql('create index mails_expires_at on mails (expires_at)');
  },
};
