import type { Migration } from './migration.ts';

/**
 * Back-channel logout: clients that want logout tokens, the sessions of people there, and the logouts that wait for their
 * delivery. A family has the `sid` that its client knows. Times are milliseconds since the epoch. Earlier releases ignore
 * all of it.
 */
export const logouts: Migration = {
  name: '0021-logouts',
  up: async (sql) => {
    await sql(`
      create table logout_receivers (
        client_id text collate "C" primary key,
        uri text not null,
        host text collate "C" not null,
        with_sid boolean not null,
        may_be_private boolean not null
      )`);
    await sql('create index logout_receivers_host on logout_receivers (host)');
    await sql(`
      create table client_sessions (
        sid text collate "C" primary key,
        client_id text collate "C" not null,
        account_id text collate "C" not null,
        session_id text collate "C",
        expires_at bigint not null
      )`);
    await sql('create index client_sessions_account on client_sessions (account_id, client_id)');
    await sql('create index client_sessions_session on client_sessions (session_id)');
    await sql('create index client_sessions_client on client_sessions (client_id)');
    await sql('create index client_sessions_expires_at on client_sessions (expires_at)');
    await sql(`
      create table logouts (
        id text collate "C" primary key,
        client_id text collate "C" not null,
        account_id text not null,
        sid text,
        ended_at bigint not null,
        attempts integer not null default 0,
        first_tried_at bigint,
        due_at bigint not null default 0,
        reason text,
        set_aside boolean not null default false
      )`);
    await sql('create index logouts_due on logouts (client_id, due_at) where not set_aside');
    await sql('create index logouts_ended_at on logouts (ended_at)');
    await sql('alter table families add column sid text');
  },
};
