import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { findProgram } from '../support/servers/programs.ts';
import { type BreakableServer, startBreakable } from './breakable-server.ts';

const initAndServe =
  'initdb=$1 server=$2 data=$3; shift 3; [ -e "$data/PG_VERSION" ] || "$initdb" -D "$data" -U gatehouse -A trust -E UTF8 --locale=C.UTF-8; ' +
  'exec "$server" -D "$data" "$@"';

/** Starts Postgres with its default durability: a committed transaction survives a crash. */
export function startPostgres(): Promise<BreakableServer> {
  const program = findProgram(['postgres'], debianFolders());
  if (program === undefined) throw missing('postgres', 'postgresql');
  const initdb = join(dirname(realpathSync(program)), 'initdb');
  return startBreakable({
    name: 'postgres',
    command: (data, port) => ({
      program: '/bin/sh',
      args: [
        ...['-c', initAndServe, 'postgres', initdb, program, data],
        ...['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ],
    }),
    // Immediate shutdown: no checkpoint, recovery at the next start.
    killCommand: 'kill -QUIT $server',
    ready: async (port) => {
      const client = new Client({ connectionString: postgresUrl(port) });
      client.on('error', () => {});
      await client.connect();
      await client.end();
    },
  });
}

export const postgresUrl = (port: number) => `postgres://gatehouse@127.0.0.1:${port}/postgres`;

/** Starts Redis so that it writes each command to disk before it answers. A restart then loses nothing. */
export function startRedis(): Promise<BreakableServer> {
  const program = findProgram(['redis-server', 'valkey-server']);
  if (program === undefined) throw missing('redis-server', 'redis-server');
  return startBreakable({
    name: 'redis',
    command: (data, port) => ({
      program,
      args: [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'always'],
      ],
    }),
    killCommand: 'kill -KILL $server',
    ready: async (port) => {
      const redis = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => {});
      try {
        await redis.connect();
        await redis.ping();
      } finally {
        redis.disconnect();
      }
    },
  });
}

const missing = (program: string, debianPackage: string) =>
  new Error(
    `There is no ${program} on this machine, and one in a container can't be killed and started on its data here: install it (Debian and Ubuntu: apt-get install ${debianPackage}), or put it on the PATH.`,
  );

function debianFolders(): string[] {
  const root = '/usr/lib/postgresql';
  return existsSync(root) ? readdirSync(root).map((release) => join(root, release, 'bin')) : [];
}
