import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { type OwnRedis, startOwnRedis } from '../adapters/redis/own-redis.ts';
import { type Deployment, oneProcess, startServers } from '../support/deployment.ts';
import { isReady } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';
import { apiLogin, getUserinfo } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { runToEnd } from '../support/program.ts';
import { createTestClient, demoApps, type TestClient } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { standing } from './apps.ts';

describe('G3, revoked tokens stay revoked when Redis loses its data', () => {
  let redis: OwnRedis;
  let deployment: Deployment;
  let app: TestClient;
  beforeAll(async () => {
    redis = await startOwnRedis();
    deployment = await startServers({ env: { GATEHOUSE_REDIS_URL: redis.url } });
    app = createTestClient(deployment, demoApps.firstParty);
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await redis?.stop();
  });

  const metricOf = (process: number, name: string, ...labels: string[]) =>
    metric(oneProcess(deployment, process), name, ...labels);
  /** How often each process read the recent revocations from Postgres. */
  const inForceAsked = () =>
    Promise.all(
      [0, 1].map((at) => metricOf(at, 'gatehouse_store_call_duration_seconds_count', 'denylist.inForce')),
    );
  const copyTrusted = () =>
    waitFor(
      async () => {
        const both = await Promise.all([0, 1].map((at) => metricOf(at, 'gatehouse_denylist_copy_trusted')));
        return both.every((value) => value === 1);
      },
      { timeoutMs: 20_000, what: 'a whole copy of the denylist in use by both processes' },
    );
  const revoked = async () => {
    const { accessToken } = await apiLogin(deployment);
    expect(await standing(deployment, app, accessToken)).toBe('live');
    const answer = await app.post('revoke', { token: accessToken });
    expect(answer.status).toBe(200);
    return accessToken;
  };
  const statusAt = async (process: number, token: string) =>
    (await getUserinfo(oneProcess(deployment, process), token)).status;

  test('processes normally look up revocations in Redis alone', async () => {
    await copyTrusted();
    const token = await revoked();
    const asked = () => metricOf(0, 'gatehouse_store_call_duration_seconds_count', 'denylist.anyRevoked');
    const before = await asked();
    for (let times = 0; times < 5; times += 1) expect(await statusAt(0, token)).toBe(401);
    expect(await asked()).toBe(before);
    expect(
      await metricOf(0, 'gatehouse_store_call_duration_seconds_count', 'revocationCache.anyRevoked'),
    ).toBeGreaterThanOrEqual(5);
  });

  test("an emptied Redis doesn't revive a token, neither at the first request nor later", async () => {
    await copyTrusted();
    const token = await revoked();
    const direct = new Redis(redis.directUrl());
    await direct.flushall();
    direct.disconnect();
    expect([await statusAt(0, token), await statusAt(1, token)]).toEqual([401, 401]);
    await copyTrusted();
    expect(await standing(deployment, app, token)).toBe('dead');
  });

  test("a revocation during an outage of Redis is in force afterwards, with or without Redis' data", async () => {
    await copyTrusted();
    const { accessToken } = await apiLogin(deployment);
    const early = await revoked();
    await redis.cutConnections();
    expect((await app.post('revoke', { token: accessToken })).status).toBe(200);
    expect([await statusAt(0, accessToken), await statusAt(1, early)]).toEqual([401, 401]);
    await redis.mend();
    await waitFor(() => isReady(deployment.opsOrigins[0]));
    expect([await statusAt(0, accessToken), await statusAt(1, accessToken)]).toEqual([401, 401]);

    await copyTrusted();
    await redis.stop();
    await redis.restart();
    expect([await statusAt(0, accessToken), await statusAt(1, early)]).toEqual([401, 401]);
    await copyTrusted();
    expect([await statusAt(0, accessToken), await statusAt(1, early)]).toEqual([401, 401]);
  });

  test("a Redis that returns with old data doesn't revive a token that was revoked since", async () => {
    await copyTrusted();
    const direct = new Redis(redis.directUrl());
    const database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    try {
      const names = await direct.keys('*{denylist}*');
      const old = await Promise.all(
        names.map(async (name) => ({ name, data: await direct.dumpBuffer(name) })),
      );
      const token = await revoked();
      // This is older than the revocations that processes read repeatedly. Only the lost connection makes them read it.
      await database.query("update revocations set revoked_at = revoked_at - interval '1 hour'");
      const before = await inForceAsked();
      const hasLooked = async () => {
        // With nothing recent, a process looks only after it was asked.
        for (const at of [0, 1]) await statusAt(at, token);
        return (await inForceAsked()).every((count, at) => count >= (before[at] ?? 0) + 2);
      };
      await waitFor(hasLooked, { timeoutMs: 30_000, intervalMs: 300, what: 'two looks of each process' });
      await redis.cutConnections();
      for (const { name, data } of old) await direct.restore(name, 0, data, 'REPLACE');
      await redis.mend();
      for (const at of [0, 1]) await waitFor(() => isReady(deployment.opsOrigins[at]));
      for (const at of [0, 1, 0, 1]) expect(await statusAt(at, token)).toBe(401);
      await copyTrusted();
      expect(await standing(deployment, app, token)).toBe('dead');
    } finally {
      await database.end();
      direct.disconnect();
    }
  });

  test('a revocation by a process without Redis is in force after the other processes read Postgres', async () => {
    await copyTrusted();
    const { accessToken } = await apiLogin(deployment);
    expect(await standing(deployment, app, accessToken)).toBe('live');
    const env = { ...deployment.env, GATEHOUSE_REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    await runToEnd(['tokens', 'revoke'], { env, cwd: deployment.folder, input: accessToken });
    const before = await inForceAsked();
    await waitFor(async () => (await inForceAsked()).every((count, at) => count >= (before[at] ?? 0) + 3));
    expect([await statusAt(0, accessToken), await statusAt(1, accessToken)]).toEqual([401, 401]);
  });
});
