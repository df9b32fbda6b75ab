import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import { RedisFamilyStore } from '../../../adapters/redis/family-store.ts';
import type { RedisStateChange } from '../../../adapters/redis/state-changes.ts';
import { systemClock } from '../../../provider/lib/clock.ts';
import { StoreUnavailable } from '../../../provider/lib/errors.ts';
import { newId, randomToken } from '../../../provider/lib/ids.ts';
import { dependencyContract } from '../../contract/dependency.ts';
import { uniquePrefix } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';

const untilItAnswers = (redis: RedisConnection) => waitFor(() => redis.dependency.ping().then(() => true));
const quick = { commandTimeoutMs: 1000, patienceMs: 100 };

for (const mode of ['single', 'cluster'] as const) {
  dependencyContract(`Redis (${mode})`, async () => {
    const server = await startOwnRedis(mode);
    const { dependency } = await openRedis({ ...quick, cluster: mode === 'cluster', url: server.url });
    return {
      dependency,
      goAway: server.cutConnections,
      comeBack: server.mend,
      fallSilent: async () => server.fallSilent(),
      close: async () => {
        await dependency.close();
        await server.stop();
      },
    };
  });
}

// An `error` event without a listener and an unhandled rejection fail these tests too, because jest reports them.
describe.each(['single', 'cluster'] as const)('when Redis is lost (%s)', (mode) => {
  const cluster = mode === 'cluster';
  let server: OwnRedis;
  let redis: RedisConnection;
  let changes: RedisStateChange[];

  beforeAll(async () => {
    server = await startOwnRedis(mode);
  });
  beforeEach(async () => {
    changes = [];
    redis = await openRedis({
      ...quick,
      cluster,
      url: server.url,
      onStateChange: (change) => changes.push(change),
    });
    await untilItAnswers(redis);
  });
  afterEach(async () => {
    await redis.dependency.close();
    await server.mend();
  });
  afterAll(async () => {
    await server.stop();
  });

  const family = () => ({
    id: newId('fam'),
    accountId: newId('user'),
    clientId: 'app',
    currentHash: randomToken(),
    payload: 'sealed',
    expiresAt: systemClock.now() + 60_000,
  });
  const states = () => changes.map(({ state }) => state);

  test('calls fail with StoreUnavailable, and work again after a restart, scripts included', async () => {
    const store = new RedisFamilyStore({ redis, clock: systemClock });
    await store.open(family());
    await server.stop();
    const calls = Array.from({ length: 50 }, () => store.open(family()));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes).toEqual(Array(50).fill({ status: 'rejected', reason: expect.any(StoreUnavailable) }));
    await expect(store.find('fam_x')).rejects.toThrow("Redis can't be reached right now.");

    await server.restart();
    await untilItAnswers(redis);
    expect(await store.open(family())).toBe(true);
    expect(states()).toEqual(expect.arrayContaining(['ready', 'away']));
    expect(states().at(-1)).toBe('ready');
  });

  test('calls in progress fail, and none of them runs later', async () => {
    const key = `${uniquePrefix()}counter`;
    server.fallSilent();
    const calls = Array.from({ length: 20 }, () => redis.run((client) => client.incr(key)));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes).toEqual(Array(20).fill({ status: 'rejected', reason: expect.any(StoreUnavailable) }));
    await server.mend();
    await untilItAnswers(redis);
    expect(await redis.run((client) => client.get(key))).toBeNull();
  });

  test('each call without a reply fails at its own time, before the connection is dropped', async () => {
    server.fallSilent();
    const failed: string[] = [];
    const ping = (name: string) =>
      redis.dependency.ping().catch((error: StoreUnavailable) => {
        failed.push(`${name}: ${(error.cause as Error).message}`);
      });
    const begun = performance.now();
    const first = ping('first');
    await waitFor(() => performance.now() - begun > quick.commandTimeoutMs / 2);
    const second = ping('second');
    await first;
    expect(failed).toEqual(['first: no reply in time']);
    await second;
    expect(failed.at(-1)).toBe('second: no reply in time');
  });

  test('calls wait for a connection that was lost a moment ago', async () => {
    const told: RedisStateChange[] = [];
    const onStateChange = (change: RedisStateChange) => told.push(change);
    const patient = await openRedis({
      ...quick,
      cluster,
      url: server.url,
      patienceMs: 20_000,
      onStateChange,
    });
    try {
      await patient.dependency.ping();
      await server.cutConnections();
      await waitFor(() => told.at(-1)?.state === 'away');
      const pings = Promise.all(Array.from({ length: 5 }, () => patient.dependency.ping()));
      await server.mend();
      await pings;
    } finally {
      await patient.dependency.close();
    }
  });

  test('a Redis that starts later is found when it starts', async () => {
    await server.cutConnections();
    const early = await openRedis({ ...quick, cluster, url: server.url });
    try {
      await expect(early.dependency.ping()).rejects.toThrow(StoreUnavailable);
      await server.mend();
      await untilItAnswers(early);
    } finally {
      await early.dependency.close();
    }
  });

  test('each change of state is reported once, and the end too', async () => {
    const client = await redis.run(async (one) => one);
    let attempts = 0;
    client.on('reconnecting', () => {
      attempts += 1;
    });
    await server.cutConnections();
    await waitFor(() => attempts >= 4);
    const told = changes.map(({ state, reason }) => `${state} ${reason}`);
    expect(told).toContainEqual(expect.stringMatching(/^away .*(ECONNREFUSED|closed)/));
    expect(new Set(told).size).toBe(told.length);
    await server.mend();
    await waitFor(() => states().at(-1) === 'ready');
    await redis.dependency.close();
    expect(states().at(-1)).toBe('closed');
    expect(states().filter((state) => state === 'ready')).toHaveLength(2);
  });

  test('a rotated password is used without a restart, and is not logged', async () => {
    let password = 'first-password';
    const admin = new Redis(server.directUrl());
    const user = newId('user');
    const setPassword = (to: string) =>
      admin.acl('SETUSER', user, 'reset', 'on', 'allcommands', 'allkeys', `>${to}`);
    await setPassword(password);
    let cached = password;
    let rereads = 0;
    const credentials = {
      current: async () => ({ user, password: cached }),
      candidates: async () => {
        rereads += 1;
        cached = password;
        return [{ user, password }];
      },
    };
    const told: RedisStateChange[] = [];
    const onStateChange = (change: RedisStateChange) => told.push(change);
    const rotating = await openRedis({ ...quick, cluster, url: server.url, credentials, onStateChange });
    try {
      await untilItAnswers(rotating);
      // A lost connection alone is no reason to read past the cache.
      await server.cutConnections();
      await server.mend();
      await untilItAnswers(rotating);
      expect(rereads).toBe(0);
      await setPassword('second-password');
      await server.cutConnections();
      await server.mend();
      await waitFor(() => told.some(({ reason }) => reason?.includes('WRONGPASS')));
      await expect(rotating.dependency.ping()).rejects.toThrow(StoreUnavailable);
      password = 'second-password';
      await untilItAnswers(rotating);
      expect(JSON.stringify(told)).not.toMatch(/first-password|second-password/);
    } finally {
      await rotating.dependency.close();
      await admin.acl('DELUSER', user);
      admin.disconnect();
    }
  });
});
