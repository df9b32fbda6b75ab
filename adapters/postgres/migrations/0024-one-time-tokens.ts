import type { Migration } from './migration.ts';

/**
 * Tokens of mails that can be used once, by keyed hash. Times are milliseconds since the epoch. Earlier releases ignore
 * them.
 */
export const oneTimeTokens: Migration = {
  name: '0024-one-time-tokens',
  up: async (sql) => {
    await sql(`
      create table one_time_tokens (
        purpose text collate "C" not null,
        subject text collate "C" not null,
        hash text collate "C" not null unique,
        account_id text collate "C",
        token_version integer,
        address text not null,
        details text,
        flow_hash text collate "C" unique,
        code_hash text collate "C",
        wrong_codes integer not null default 0,
        expires_at bigint not null,
        primary key (purpose, subject)
      )`);
    await sql('create index one_time_tokens_expires_at on one_time_tokens (expires_at)');
  },
};
