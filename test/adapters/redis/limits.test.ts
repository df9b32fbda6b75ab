import { expect, test } from '@jest/globals';
import { openRedis } from '../../../adapters/redis/connection.ts';
import { RedisLimits } from '../../../adapters/redis/limits.ts';
import { systemClock } from '../../../provider/lib/clock.ts';
import { limitsContract } from '../../contract/limits.ts';
import { testRedisClusterUrl, testRedisUrl, uniquePrefix } from '../../support/redis.ts';
import { openStores } from './open-stores.ts';

const create = (deps: ConstructorParameters<typeof RedisLimits>[0]) => new RedisLimits(deps);

limitsContract('RedisLimits on one server', () =>
  openStores({ url: testRedisUrl(), cluster: false }, create),
);
limitsContract('RedisLimits on a cluster', () =>
  openStores({ url: testRedisClusterUrl(), cluster: true }, create),
);

test('every key expires by itself when it is not needed any more', async () => {
  const redis = await openRedis({ url: testRedisUrl(), cluster: false, keyPrefix: uniquePrefix() });
  try {
    const limits = new RedisLimits({ redis, clock: systemClock });
    const left = (key: string) => redis.run((client) => client.pttl(redis.key(key, 'l')));
    const about = async (key: string, seconds: number) => {
      const ms = await left(key);
      expect(ms).toBeLessThanOrEqual(seconds * 1000);
      expect(ms).toBeGreaterThan(seconds * 1000 - 5000);
    };
    const bucket = { burst: 10, perSeconds: 600 };
    await limits.take('bucket', bucket);
    await about('bucket', 60);
    for (let index = 0; index < 20; index += 1) await limits.take('bucket', bucket);
    await about('bucket', 600);
    await limits.giveBack('bucket', bucket);
    await about('bucket', 540);
    for (let index = 0; index < 10; index += 1) await limits.giveBack('bucket', bucket);
    expect(await left('bucket')).toBe(-2);

    const waits = { freeTries: 2, firstWaitSeconds: 1, longestWaitSeconds: 900 };
    const rule = { ...waits, forgetFreeSeconds: 3600, forgetSeconds: 86_400 };
    await limits.attempt('tries', rule);
    await about('tries', 3600);
    await limits.attempt('tries', rule);
    await about('tries', 86_400);
    await limits.attempt('tries', rule);
    await limits.withdraw('tries');
    await about('tries', 86_400);
    await limits.forgive('tries', 0, 30 * 86_400);
    await about('tries', 30 * 86_400);
    await limits.attempt('tries', rule);
    await about('tries', 30 * 86_400);
    await limits.withdraw('none');
    await limits.attempt('one', rule);
    await limits.withdraw('one');
    expect(await left('one')).toBe(-2);
    expect(await left('none')).toBe(-2);
  } finally {
    await redis.dependency.close();
  }
});
