import type { Migration } from './migration.ts';

/**
 * Clients that registered themselves (RFC 7591), and the tokens that let them. Both hold digests of secrets only. Times
 * are milliseconds since the epoch. Earlier releases ignore the tables.
 */
export const registeredClients: Migration = {
  name: '0020-registered-clients',
  up: async (sql) => {
    await sql(`
      create table registered_clients (
        id text collate "C" primary key,
        metadata jsonb not null,
        secret_sha256 text,
        access_token_sha256 text not null,
        created_at bigint not null,
        expires_at bigint not null
      )`);
    await sql('create index registered_clients_expires_at on registered_clients (expires_at)');
    await sql('create table registration_tokens (sha256 text primary key, expires_at bigint not null)');
    await sql('create index registration_tokens_expires_at on registration_tokens (expires_at)');
  },
};
