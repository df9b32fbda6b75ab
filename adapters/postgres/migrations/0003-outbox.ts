import type { Migration } from './migration.ts';

export const outbox: Migration = {
  name: '0003-outbox',
  up: async (sql) => {
    await sql(`
      create table outbox (
        position bigint generated always as identity primary key,
        id text collate "C" not null unique,
        type text not null,
        version integer not null,
        time bigint not null,
        subject text collate "C" not null,
        data json not null,
        attempts integer not null default 0,
        due_at bigint not null default 0,
        reason text,
        published_at bigint,
        set_aside boolean not null default false
      )`);
    await sql(`
      create index outbox_pending on outbox (position)
      where published_at is null and not set_aside`);
    await sql(`
      create index outbox_pending_of_subject on outbox (subject, position)
      where published_at is null and not set_aside`);
    await sql('create index outbox_set_aside on outbox (position) where set_aside');
    await sql('create index outbox_published on outbox (published_at) where published_at is not null');
  },
};
