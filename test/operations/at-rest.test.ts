import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { testRedisUrl } from '../support/redis.ts';
import { waitFor } from '../support/wait-for.ts';
import { openWireLog, postgresReader, redisReader, type WireLog } from './wire-log.ts';

jest.setTimeout(300_000);

interface Asked {
  at: number;
  what: string;
}
const asked: Asked[] = [];
const note = (what: string) => void asked.push({ at: performance.now(), what });
let database: TestDatabase;
let wires: WireLog[];
let deployment: Deployment;
beforeAll(async () => {
  database = await createTestDatabase();
  const postgres = await openWireLog(database.url, () => postgresReader((sql) => note(`postgres ${sql}`)));
  const redis = await openWireLog(testRedisUrl(), () => redisReader(([word = '']) => note(`redis ${word}`)));
  wires = [postgres, redis];
  const through = (url: string, { port }: WireLog) =>
    Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  deployment = await startServers({
    processes: 1,
    env: {
      GATEHOUSE_DATABASE_URL: through(database.url, postgres),
      GATEHOUSE_REDIS_URL: through(testRedisUrl(), redis),
    },
  });
});
afterAll(async () => {
  await deployment?.stop();
  for (const wire of wires) await wire.close();
  await database?.drop();
});

/** The window in which questions are counted. */
const windowMs = 60_000;

test('a process at rest asks Postgres at most once in ten seconds, and Redis nothing', async () => {
  const started = performance.now();
  const inWindow = () => asked.filter(({ at }) => at > performance.now() - windowMs);
  const isQuiet = () => performance.now() - started > windowMs && inWindow().length <= windowMs / 10_000;
  // After a start the pauses become longer.
  await waitFor(isQuiet, { timeoutMs: 200_000, intervalMs: 500 }).catch(() => {});
  expect(inWindow().map(({ what }) => what)).toHaveLength(Math.min(inWindow().length, windowMs / 10_000));
  expect(inWindow().filter(({ what }) => what.startsWith('redis'))).toEqual([]);
});
