import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { dockerServer } from './docker.ts';
import { type KeptProcess, serverFolder, serverOwner, startKept } from './kept-process.ts';
import { findProgram } from './programs.ts';
import { type ServerRecipe, startServer, type TestServer } from './server.ts';
import { type Resume, stallWithChildren } from './stall.ts';

/** Tests need many connections, and data only has to survive while the server process runs. */
const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];
const settingArguments = settings.flatMap((setting) => ['-c', setting]);

async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

async function ready(url: string): Promise<void> {
  await connected(url, (client) => client.query('SELECT 1'));
}

/** The processes of its connections are its children. Only the operating system knows one that has just started. */
function stall(url: string): Promise<Resume> {
  return connected(url, async (client) => {
    const own = await client.query("SELECT pg_backend_pid() AS pid, pg_read_file('postmaster.pid') AS file");
    const { pid, file } = own.rows[0];
    return stallWithChildren(Number.parseInt(file, 10), { but: pid });
  });
}

/** `initdb` runs under the same keeper as the server, so an interrupted run leaves nothing behind. */
const initAndServe =
  'initdb=$1 server=$2 data=$3 locale=$4; shift 4; ' +
  '"$initdb" -D "$data" -U gatehouse -A trust -E UTF8 --locale="$locale" --no-sync && exec "$server" -D "$data" "$@"';

function start(program: string, port: number): KeptProcess {
  const owner = serverOwner();
  const folder = serverFolder('postgres', owner);
  const locale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  const init = [join(dirname(realpathSync(program)), 'initdb'), program, join(folder, 'data'), locale];
  const listen = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const args = ['-c', initAndServe, 'postgres', ...init, ...listen, ...settingArguments];
  return startKept({ program: '/bin/sh', args, folder, owner });
}

/** The path of a program that comes with Postgres, such as `pg_dump`. */
export const findPostgresProgram = (name: string): string | undefined => findProgram([name], debianFolders());

/** The folders of Debian's Postgres programs, newest release first. They aren't on the PATH. */
function debianFolders(): string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  const releases = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return releases.map((release) => join(root, release, 'bin'));
}

const recipe = { name: 'Postgres', ready, stall };

/** Starts Postgres from a program on this machine. Returns undefined if there is no such program. */
export async function startLocalPostgres(): Promise<TestServer | undefined> {
  const program = findPostgresProgram('postgres');
  if (program === undefined) return undefined;
  return startServer({
    ...recipe,
    start: (port) => start(program, port),
    url: (port) => `postgres://gatehouse@127.0.0.1:${port}/postgres`,
  });
}

/** Starts Postgres in a container. */
export function startDockerPostgres(): Promise<TestServer> {
  const container: ServerRecipe = {
    ...recipe,
    start: (port) =>
      dockerServer({
        image: 'postgres:17',
        publish: `127.0.0.1:${port}:5432`,
        env: ['POSTGRES_USER=gatehouse', 'POSTGRES_HOST_AUTH_METHOD=trust', 'POSTGRES_DB=postgres'],
        args: settingArguments,
      }),
    url: (port) => `postgres://gatehouse@127.0.0.1:${port}/postgres`,
  };
  return startServer(container);
}
