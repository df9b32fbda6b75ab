import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { randomToken } from '../../provider/lib/ids.ts';
import { type ScramServer, startScramServer } from '../adapters/postgres/scram-server.ts';
import { type OwnRedis, startOwnRedis } from '../adapters/redis/own-redis.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { runToEnd } from '../support/program.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(240_000);

let [postgres, redis]: [ScramServer?, OwnRedis?] = [];
let redisAdmin: Redis;
let folder: string;
let deployment: FleetDeployment;
const first = randomToken(16);

/** Gives the URL with other parts, and writes it to its file. */
async function write(name: 'database' | 'redis', parts: Partial<URL>): Promise<void> {
  const url = new URL((name === 'database' ? postgres?.url : redis?.url) ?? '');
  if (name === 'database') url.pathname = '/gatehouse';
  Object.assign(url, { username: 'app' }, parts);
  await writeFile(join(folder, name), url.href, { mode: 0o600 });
}
const setRedisPassword = (password: string) =>
  redisAdmin.acl('SETUSER', 'app', 'reset', 'on', 'allcommands', 'allkeys', 'allchannels', `>${password}`);
const cutDatabase = () =>
  postgres?.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'");
const untilSignIn = () => waitFor(() => apiLogin(deployment), { timeoutMs: 30_000, what: 'a sign-in' });
const outdated = () => metric(deployment, 'gatehouse_secrets_outdated');

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startScramServer(), startOwnRedis()]);
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-urls-'));
  redisAdmin = new Redis(redis.directUrl());
  await postgres.run(`create role app login password '${first}'`);
  await postgres.run('create database gatehouse owner app');
  await setRedisPassword(first);
  await write('database', { password: first });
  await write('redis', { password: first });
  deployment = await startServers({
    processes: 1,
    env: {
      GATEHOUSE_DATABASE_URL: `file:${join(folder, 'database')}`,
      GATEHOUSE_REDIS_URL: `file:${join(folder, 'redis')}`,
    },
  });
});
afterAll(async () => {
  await deployment?.stop();
  redisAdmin?.disconnect();
  await Promise.all([postgres?.stop(), redis?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

const accounts = () => runToEnd(['accounts', 'list'], { env: deployment.env, cwd: deployment.folder });

test('servers and commands find the stores by references to their URLs, and follow new passwords in them', async () => {
  await untilSignIn();
  expect(await accounts()).toContain('john@example.com');
  const second = randomToken(16);
  await write('database', { password: second });
  await write('redis', { password: second });
  await postgres?.run(`alter role app password '${second}'`);
  await setRedisPassword(second);
  await cutDatabase();
  await redis?.cutConnections();
  await redis?.mend();
  await untilSignIn();
  expect(await accounts()).toContain('john@example.com');
  for (const password of [first, second]) expect(deployment.programs[0]?.output()).not.toContain(password);
});

test.each([
  ['names another host', () => write('database', { hostname: 'db.example.com', password: 'other' })],
  ['is no URL', () => writeFile(join(folder, 'database'), 'postgres//wrong')],
  ['is gone', () => rm(join(folder, 'database'))],
])('a URL that later %s: the last good one stays in use, with a warning and a metric', async (_, spoil) => {
  await untilSignIn();
  const good = await readFile(join(folder, 'database'), 'utf8');
  await spoil();
  await cutDatabase();
  await untilSignIn();
  await waitFor(async () => (await outdated()) === 1);
  expect(deployment.programs[0]?.output()).toContain('secret cannot be read, keeping the last good value');
  await writeFile(join(folder, 'database'), good, { mode: 0o600 });
  await cutDatabase();
  await untilSignIn();
  await waitFor(async () => (await outdated()) === 0);
});
