import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import { RedisFamilyStore } from '../../../adapters/redis/family-store.ts';
import { RedisOidcStore } from '../../../adapters/redis/oidc-store.ts';
import { systemClock } from '../../../provider/lib/clock.ts';
import { testRedisUrl, uniquePrefix } from '../../support/redis.ts';

const minute = 60_000;
// Keys expire in Redis a minute late, so that a Redis clock that is ahead does not delete them too early.
const late = minute;
let redis: RedisConnection;

beforeAll(async () => {
  redis = await openRedis({ url: testRedisUrl(), cluster: false, keyPrefix: uniquePrefix() });
});
afterAll(() => redis.dependency.close());

const expiry = (key: string) => redis.run((client) => client.pexpiretime(key));

test('every key of an artifact expires by itself when it is not needed any more', async () => {
  const store = new RedisOidcStore({ redis, clock: systemClock });
  const now = systemClock.now();
  const [entry, indexEntry] = [redis.key('Session:a', 'a'), redis.key('Session#i', 'i')];
  const put = (expiresAt: number) => store.put('Session', 'a', { payload: 'p', indexKey: 'i', expiresAt });

  await put(now + minute);
  expect([await expiry(entry), await expiry(indexEntry)]).toEqual([now + minute + late, now + minute + late]);
  await put(now + 2 * minute);
  expect(await expiry(entry)).toBe(now + 2 * minute + late);
  await store.consume('Session', 'a', now, now + 3 * minute);
  expect(await expiry(entry)).toBe(now + 3 * minute + late);
  await put(now + minute);
  expect(await expiry(entry)).toBe(now + 3 * minute + late);
  await store.endIndex('Session', 'i', now + 5 * minute);
  expect(await expiry(indexEntry)).toBe(now + 5 * minute + late);
  await put(now + minute);
  expect(await expiry(indexEntry)).toBe(now + 5 * minute + late);
  await store.putIfAbsent('ReplayDetection', 'r', { payload: '', expiresAt: now + minute });
  expect(await expiry(redis.key('ReplayDetection:r', 'a'))).toBe(now + minute + late);
});

test('the key of a family expires by itself, whether the family was ended or not', async () => {
  const store = new RedisFamilyStore({ redis, clock: systemClock });
  const now = systemClock.now();
  const family = { id: 'fam_1', accountId: 'user_1', clientId: 'app', currentHash: 'h', payload: 'p' };
  const key = redis.key('fam_1', 'f');

  await store.open({ ...family, expiresAt: now + minute });
  expect(await expiry(key)).toBe(now + minute + late);
  const storedResponse = { sealed: 's', until: now + 1000 };
  await store.rotate('fam_1', 'h', { hash: 'i', payload: 'q', expiresAt: now + 2 * minute, storedResponse });
  expect(await expiry(key)).toBe(now + 2 * minute + late);
  expect(await expiry(redis.key('fam_1', 'fa'))).toBe(now + 1000 + late);
  await store.end('fam_1', now + 3 * minute);
  expect(await expiry(key)).toBe(now + 3 * minute + late);
  expect(await redis.run((client) => client.hkeys(key))).toEqual(['t']);
  expect(await redis.run((client) => client.exists(redis.key('fam_1', 'fa')))).toBe(0);
});

test('a time with a fraction of a millisecond is accepted and rounded up', async () => {
  const store = new RedisOidcStore({ redis, clock: systemClock });
  const expiresAt = systemClock.now() + minute + 0.25;
  await store.put('Interaction', 'n', { payload: 'p', expiresAt });
  expect(await expiry(redis.key('Interaction:n', 'a'))).toBe(Math.ceil(expiresAt) + late);
});
