import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { testRedisUrl } from '../support/redis.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { addressIn, countRows, from, fromAnywhere } from './limits-world.ts';

/** Few enough networks for a slow machine to reach the limit of each. */
const networks = 8;
const floodMs = 30_000;
const minuteMs = 60_000;

describe('G9, a flood of authorization requests from many networks, with the default limits', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ env: fromAnywhere });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('adds no row to Postgres, and to Redis a bounded number of small keys that expire', async () => {
    const database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    const client = new Redis(testRedisUrl());
    try {
      const before = await countRows(database);
      const { startedAt, asked, allowed, statuses } = await flood();
      expect((await countRows(database)) - before).toBe(0);
      expect([...statuses].filter((status) => ![303, 429, 503].includes(status))).toEqual([]);
      expect(allowed).toBeGreaterThan(100);
      const minutes = (performance.now() - startedAt) / minuteMs;
      // By address: the burst, the refill, and a tenth of both for each of two processes.
      expect(allowed).toBeLessThanOrEqual(networks * 120 * (1 + minutes) * 1.2);
      expect(asked).toBeGreaterThan(allowed);

      const keys = (await client.keys(`${deployment.redisPrefix}*`)).filter(
        (key) => !key.includes('{denylist}'),
      );
      const kept = await Promise.all(
        keys.map(async (key) => ({
          ms: await client.pttl(key),
          bytes: Number(await client.memory('USAGE', key)),
        })),
      );
      // One key for each page, and the counters.
      expect(kept.length).toBeLessThanOrEqual(allowed * 3 + 10);
      for (const { ms } of kept) {
        expect(ms).not.toBe(-1);
        // A sign-in has ten minutes; the store keeps things a minute longer, because clocks differ.
        expect(ms).toBeLessThanOrEqual(11 * minuteMs);
      }
      const bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
      expect(bytes / allowed).toBeLessThan(2500);
    } finally {
      client.disconnect();
      await database.end();
    }
  }, 90_000);

  /** Sends requests from all networks in turn, twenty in parallel. */
  async function flood() {
    const url = createTestClient(deployment, demoApps.web).authorizationUrl();
    const statuses = new Set<number>();
    const startedAt = performance.now();
    let allowed = 0;
    let asked = 0;
    const ask = async () => {
      const headers = { ...from(addressIn(asked++ % networks)), accept: 'text/html' };
      const { status, body } = await deployment.fetch(url, { headers });
      await body?.cancel();
      statuses.add(status);
      if (status === 303) allowed += 1;
    };
    await atOnce(20, async () => {
      while (performance.now() < startedAt + floodMs) await ask();
    });
    return { startedAt, asked, allowed, statuses };
  }
});
