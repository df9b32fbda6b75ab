import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { testRedisClusterUrl, testRedisUrl, uniquePrefix } from './redis.ts';

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

test('the single Redis accepts keys of several slots in one command', async () => {
  const prefix = uniquePrefix();
  const values = await withRedis(testRedisUrl(), (redis) => redis.mget(`${prefix}a`, `${prefix}b`));
  expect(values).toEqual([null, null]);
});

test('the cluster owns every slot, and refuses a command that crosses slots', async () => {
  await withRedis(testRedisClusterUrl(), async (redis) => {
    const info = String(await redis.call('CLUSTER', 'INFO'));
    expect(info).toContain('cluster_state:ok');
    expect(info).toContain('cluster_slots_ok:16384');
    await expect(redis.mget('{one}a', '{two}a')).rejects.toThrow('CROSSSLOT');
    expect(await redis.mget('{one}a', '{one}b')).toEqual([null, null]);
  });
});

test('prefixes differ', () => {
  expect(uniquePrefix()).not.toBe(uniquePrefix());
});
