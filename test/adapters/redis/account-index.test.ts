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

  const keysOf = (account: string) => ['e', 'x'].map((part) => redis.key(`account:${account}`, part));
  const ofBoth = <T>(account: string, ask: (key: string) => Promise<T>) =>
    Promise.all(keysOf(account).map((key) => redis.run(() => ask(key))));
  const expiries = (account: string) =>
    ofBoth(account, (key) => redis.run((client) => client.pexpiretime(key)));
  const sizes = async (account: string) => {
    const [entries = '', times = ''] = keysOf(account);
    return redis.run((client) => Promise.all([client.hlen(entries), client.zcard(times)]));
  };
  const entry = (id: string, expiresAt: number): AccountIndexEntry => ({
    kind: 'family',
    id,
    details: 'd',
    expiresAt,
  });

  test('expire by themselves, a minute after the last entry expires', async () => {
    const now = clock.now();
    await store.put('a', entry('one', now + 2 * minute));
    await store.put('a', entry('two', now + minute));
    expect(await expiries('a')).toEqual([now + 3 * minute, now + 3 * minute]);
    await store.put('a', entry('two', now + 4 * minute + 0.25));
    expect(await expiries('a')).toEqual([now + 5 * minute + 1, now + 5 * minute + 1]);
    await store.remove('a', 'two');
    expect(await expiries('a')).toEqual([now + 3 * minute, now + 3 * minute]);
    await store.remove('a', 'one');
    expect(await redis.run((client) => client.exists(...keysOf('a')))).toBe(0);
  });

  test('lose at most 20 expired entries at each write', async () => {
    const now = clock.now();
    for (let index = 0; index < 50; index++) await store.put('b', entry(`e${index}`, now + minute + index));
    await store.put('b', entry('long', now + 10 * minute));
    expect(await sizes('b')).toEqual([51, 51]);
    clock.advance(minute + 44);
    await store.put('b', entry('late', now + 10 * minute));
    expect(await sizes('b')).toEqual([32, 32]);
    await store.remove('b', 'late');
    expect(await sizes('b')).toEqual([11, 11]);
    await store.remove('b', 'late');
    expect(await sizes('b')).toEqual([6, 6]);
  });
});
