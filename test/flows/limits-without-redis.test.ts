import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type OwnRedis, startOwnRedis } from '../adapters/redis/own-redis.ts';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { metric } from '../support/metrics.ts';
import { waitFor } from '../support/wait-for.ts';
import { tally } from './apps.ts';
import { addressIn, fromAnywhere, retryAfter, right, tryPassword } from './limits-world.ts';

describe('G9, without Redis each process applies the limits itself', () => {
  let redis: OwnRedis;
  let deployment: Deployment;
  beforeAll(async () => {
    redis = await startOwnRedis();
    const env = { GATEHOUSE_REDIS_URL: redis.url, GATEHOUSE_REFRESH_TOKEN_STORE: 'postgres' };
    deployment = await startServers({ processes: 1, env: { ...fromAnywhere, ...env } });
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await redis?.stop();
  });

  const isLocal = () => metric(deployment, 'gatehouse_limits_local');
  const messages = () =>
    (deployment.programs[0]?.output() ?? '')
      .split('\n')
      .filter((line) => line.includes('rate limit store'))
      .map((line) => JSON.parse(line) as { level: string; msg: string });

  test('people can sign in, guesses are limited, and each change is logged once', async () => {
    expect((await tryPassword(deployment, addressIn(1), right)).status).toBe(200);
    expect(await isLocal()).toBe(0);
    await redis.stop();
    expect((await tryPassword(deployment, addressIn(1), right)).status).toBe(200);
    expect(await isLocal()).toBe(1);
    const answers = await atOnce(40, () => tryPassword(deployment, addressIn(2)));
    const { 401: guesses, 429: refused } = tally(answers.map(({ status }) => status));
    expect(guesses).toBeGreaterThanOrEqual(10);
    expect(guesses).toBeLessThanOrEqual(15);
    expect(refused).toBe(40 - Number(guesses));
    for (const answer of answers.filter(({ status }) => status === 429))
      expect(retryAfter(answer)).toBeGreaterThan(0);
    expect((await tryPassword(deployment, addressIn(3), right)).status).toBe(200);

    await redis.restart();
    await waitFor(
      async () => {
        expect((await tryPassword(deployment, addressIn(1), right)).status).toBe(200);
        return (await isLocal()) === 0;
      },
      { timeoutMs: 25_000, intervalMs: 500, what: 'limits to be shared again' },
    );
    expect(messages().map(({ level }) => level)).toEqual(['warn', 'info']);
  });
});
