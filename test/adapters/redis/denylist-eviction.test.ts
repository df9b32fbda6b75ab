import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import { RedisRevocationCache } from '../../../adapters/redis/revocation-cache.ts';
import { systemClock } from '../../../provider/lib/clock.ts';
import type { RevocationKey } from '../../../provider/ports/revocation-keys.ts';
import { uniquePrefix } from '../../support/redis.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';

const minute = 60_000;

describe('the copy of the denylist in a Redis', () => {
  let server: OwnRedis;
  let direct: Redis;
  let redis: RedisConnection;
  let copy: RedisRevocationCache;
  beforeAll(async () => {
    server = await startOwnRedis();
    direct = new Redis(server.directUrl());
    redis = await openRedis({ url: server.url, cluster: false, keyPrefix: uniquePrefix() });
    copy = new RedisRevocationCache({ redis, clock: systemClock });
  });
  afterAll(async () => {
    await redis?.dependency.close();
    direct?.disconnect();
    await server?.stop();
  });

  const evicted = async () =>
    Number(/evicted_keys:(?<count>\d+)/.exec(await direct.info('stats'))?.groups?.count);

  /** Writes keys beyond the memory limit until Redis has evicted the given number of keys. */
  async function evict(count: number): Promise<void> {
    const goal = (await evicted()) + count;
    const used = Number(/used_memory:(?<bytes>\d+)/.exec(await direct.info('memory'))?.groups?.bytes);
    await direct.config('SET', 'maxmemory', used + 500_000);
    for (let index = 0; (await evicted()) < goal; index += 1)
      await direct.set(`session:${index}`, 'x'.repeat(10_000), 'PX', minute);
    await direct.config('SET', 'maxmemory', 0);
  }

  test.each(['volatile-lru', 'volatile-ttl', 'volatile-random', 'allkeys-lru', 'allkeys-random'])(
    'that evicts keys (%s) never reports a revoked key as not revoked',
    async (policy) => {
      await direct.flushall();
      await direct.config('SET', 'maxmemory-policy', policy);
      const keys = Array.from({ length: 300 }, (_, index): RevocationKey => `jti:${index}`);
      const begun = await copy.begin();
      await copy.put(keys.map((key) => ({ key, expiresAt: systemClock.now() + minute })));
      expect(await copy.declareComplete(begun)).toBe(true);
      await evict(200);
      const answers = new Set(await Promise.all(keys.map((key) => copy.anyRevoked([key]))));
      expect(answers.size).toBe(1);
      expect(answers).not.toContain(false);
    },
  );

  test('that evicted copied entries is not declared complete', async () => {
    const begun = await copy.begin();
    await copy.put([{ key: 'jti:early', expiresAt: systemClock.now() + minute }]);
    await direct.del(redis.key('denylist', 'entries'));
    await copy.put([{ key: 'jti:late', expiresAt: systemClock.now() + minute }]);
    expect(await copy.declareComplete(begun)).toBe(false);
    expect(await copy.anyRevoked(['jti:late'])).toBeUndefined();
  });

  test('drops entries that expired more than a minute ago, and no others, at the next put', async () => {
    await direct.flushall();
    const begun = await copy.begin();
    const now = systemClock.now();
    const over = Array.from({ length: 400 }, (_, index) => ({
      key: `jti:over-${index}` as const,
      expiresAt: now - 2 * minute,
    }));
    await copy.put(over);
    await copy.put([
      { key: 'jti:just-over', expiresAt: now - minute / 2 },
      { key: 'jti:later', expiresAt: now + minute },
    ]);
    expect(await copy.declareComplete(begun)).toBe(true);
    const left = await direct.zrange(redis.key('denylist', 'entries'), '0', '-1');
    expect(left).toEqual(['r:jti:just-over', 'r:jti:later', 'w']);
  });
});
