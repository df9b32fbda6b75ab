import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RedisAccountIndex } from '../../../adapters/redis/account-index.ts';
import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import { systemClock } from '../../../provider/lib/clock.ts';
import type { AccountIndexEntry } from '../../../provider/ports/account-index.ts';
import { accountIndexContract } from '../../contract/account-index.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { testRedisClusterUrl, testRedisUrl, uniquePrefix } from '../../support/redis.ts';
import { openStores } from './open-stores.ts';

accountIndexContract('RedisAccountIndex on one server', () =>
  openStores({ url: testRedisUrl(), cluster: false }, (deps) => new RedisAccountIndex(deps)),
);

accountIndexContract('RedisAccountIndex on a cluster', () =>
  openStores({ url: testRedisClusterUrl(), cluster: true }, (deps) => new RedisAccountIndex(deps)),
);

describe("an account's keys in Redis", () => {
  const minute = 60_000;
  let redis: RedisConnection;
  let clock: ManualClock;
  let store: RedisAccountIndex;
  beforeAll(async () => {
    redis = await openRedis({ url: testRedisUrl(), cluster: false, keyPrefix: uniquePrefix() });
    clock = createManualClock(systemClock.now());
    store = new RedisAccountIndex({ redis, clock });
  });
  afterAll(() => redis.dependency.close());

  const keysOf = (account: string) => ['e', 'x', 'u'].map((part) => redis.key(`account:${account}`, part));
  const ofAll = <T>(account: string, ask: (key: string) => Promise<T>) =>
    Promise.all(keysOf(account).map((key) => redis.run(() => ask(key))));
  const expiries = (account: string) =>
    ofAll(account, (key) => redis.run((client) => client.pexpiretime(key)));
  const sizes = async (account: string) => {
    const [entries = '', times = '', uses = ''] = keysOf(account);
    return redis.run((client) =>
      Promise.all([client.hlen(entries), client.zcard(times), client.zcard(uses)]),
    );
  };
  const entry = (id: string, expiresAt: number): AccountIndexEntry => ({
    kind: 'family',
    id,
    details: 'd',
    usedAt: 0,
    expiresAt,
  });

  test('expire by themselves, a minute after the last entry expires', async () => {
    const now = clock.now();
    await store.put('a', entry('one', now + 2 * minute));
    await store.put('a', entry('two', now + minute));
    expect(await expiries('a')).toEqual(Array(3).fill(now + 3 * minute));
    await store.put('a', entry('two', now + 4 * minute + 0.25));
    expect(await expiries('a')).toEqual(Array(3).fill(now + 5 * minute + 1));
    await store.remove('a', 'two');
    expect(await expiries('a')).toEqual(Array(3).fill(now + 3 * minute));
    await store.remove('a', 'one');
    expect(await redis.run((client) => client.exists(...keysOf('a')))).toBe(0);
  });

  test('lose at most 20 expired entries at each write', async () => {
    const now = clock.now();
    for (let index = 0; index < 50; index++) await store.put('b', entry(`e${index}`, now + minute + index));
    await store.put('b', entry('long', now + 10 * minute));
    expect(await sizes('b')).toEqual([51, 51, 51]);
    clock.advance(minute + 44);
    await store.put('b', entry('late', now + 10 * minute));
    expect(await sizes('b')).toEqual([32, 32, 32]);
    await store.remove('b', 'late');
    expect(await sizes('b')).toEqual([11, 11, 11]);
    await store.remove('b', 'late');
    expect(await sizes('b')).toEqual([6, 6, 6]);
  });

  test('give in pages also what the last release wrote, which kept no time of the last use', async () => {
    const [entries = '', byExpiry = '', uses = ''] = keysOf('c');
    const now = clock.now();
    const withTime = (id: string, usedAt: number) => ({ ...entry(id, now + minute), usedAt });
    const writeAsBefore = (id: string) =>
      redis.run(async (client) => {
        await client.hset(entries, id, JSON.stringify(['family', 'd', now + minute]));
        await client.zadd(byExpiry, now + minute, id);
      });
    await writeAsBefore('old');
    await store.put('c', withTime('new', 5));
    await writeAsBefore('older');
    // The last release renews an entry of this one: the time stays as it was.
    await store.put('c', withTime('both', 7));
    await writeAsBefore('both');
    // It also removes one.
    await store.put('c', withTime('gone', 6));
    await redis.run((client) => Promise.all([client.hdel(entries, 'gone'), client.zrem(byExpiry, 'gone')]));
    const page = await store.page('c', 3);
    expect(page).toEqual([withTime('both', 7), withTime('new', 5), withTime('older', 0)]);
    expect(await store.page('c', 3, page.at(-1))).toEqual([withTime('old', 0)]);
    expect(await redis.run((client) => client.zcard(uses))).toBe(4);
  });
});
