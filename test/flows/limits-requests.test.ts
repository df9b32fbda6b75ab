import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { type Deployment, startServers } from '../support/deployment.ts';
import { postJson } from '../support/json-api.ts';
import { testRedisUrl } from '../support/redis.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { appDocument, createApp, tally } from './apps.ts';
import { addressIn, from, fromAnywhere, metric, retryAfter, times } from './limits-world.ts';

const origin = 'https://spa.example.com';
const clients = [appDocument('guessed'), appDocument('browser', { auth: 'none', origins: [origin] })];
const kinds = [
  { name: 'Postgres and Redis', redis: true },
  { name: 'Postgres alone', redis: false },
];

describe.each(kinds)('G9, limits of what anybody may ask, over two processes, on $name', ({ redis }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    // A fiftieth of what is usual by address and network, to get there sooner.
    const env = { ...fromAnywhere, GATEHOUSE_LIMITS_PERCENT: '2' };
    deployment = await startServers({ env, redis, clients });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const authorize = (address: string, accept = 'text/html') => {
    const url = createTestClient(deployment, demoApps.web).authorizationUrl();
    return deployment.fetch(url, { headers: { ...from(address), accept } });
  };
  /** 12 by all together, one by each of two processes, and one more every five seconds. */
  const most = (startedAt: number) => 15 + (performance.now() - startedAt) / 5000;
  const statuses = (answers: readonly Response[]) => tally(answers.map(({ status }) => status));

  test('authorization requests end at a limit, by address; the page says so', async () => {
    const startedAt = performance.now();
    const answers = await times(60, () => authorize(addressIn(1)));
    const { 303: allowed, 429: refused } = statuses(answers);
    expect(allowed).toBeGreaterThanOrEqual(12);
    expect(allowed).toBeLessThanOrEqual(most(startedAt));
    expect(refused).toBe(60 - Number(allowed));
    const last = await authorize(addressIn(1));
    if (last.status === 429) expect(await last.text()).toContain('Try again in a moment');
    for (const answer of answers.filter(({ status }) => status === 429)) {
      expect(retryAfter(answer)).toBeGreaterThan(0);
      expect(retryAfter(answer)).toBeLessThanOrEqual(60);
      expect(answer.headers.get('location')).toBeNull();
      expect(answer.headers.get('content-type')).toContain('text/html');
    }
    expect((await authorize(addressIn(2))).status).toBe(303);
  });

  test('token requests end in the protocol’s words, which a page of a known origin can read', async () => {
    const app = createApp(deployment, 'browser', 'public');
    const headers = { ...from(addressIn(3)), origin };
    const asked = { grant_type: 'refresh_token', refresh_token: 'no-such-token' };
    const answers = await times(250, () => app.post('token', asked, headers));
    const refused = answers.filter(({ status }) => status === 429);
    expect(tally(answers.map(({ body }) => body.error))).toEqual({
      invalid_grant: 250 - refused.length,
      temporarily_unavailable: refused.length,
    });
    expect(refused.length).toBeGreaterThan(0);
    expect(250 - refused.length).toBeGreaterThanOrEqual(120);
    for (const { headers: told, body } of refused) {
      expect(Number(told.get('retry-after'))).toBeGreaterThan(0);
      expect([origin, '*']).toContain(told.get('access-control-allow-origin'));
      expect(told.get('access-control-expose-headers')).toContain('Retry-After');
      expect(told.get('cache-control')).toBe('no-store');
      expect(Object.keys(body)).toEqual(['error', 'error_description']);
    }
  });

  test('/auth/refresh likewise, as a problem', async () => {
    const headers = { ...from(addressIn(4)), origin };
    const answers = await times(250, () =>
      postJson(deployment, '/auth/refresh', { refreshToken: 'none' }, headers),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(statuses(answers)).toEqual({ 401: 250 - refused.length, 429: refused.length });
    for (const answer of refused) {
      expect(await answer.json()).toMatchObject({ code: 'too_many_requests', status: 429 });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    }
    expect(await metric(deployment, 'gatehouse_limited_total', 'action="refresh"')).toBe(refused.length);
  });

  test('guesses at a client’s secret end, for the one who guesses', async () => {
    const [wrong, owner] = [createApp(deployment, 'guessed', 'a-guess'), createApp(deployment, 'guessed')];
    const asked = { grant_type: 'refresh_token', refresh_token: 'none' };
    const guesses = await times(80, () => wrong.post('token', asked, from(addressIn(5))));
    const { 401: guessed, 429: refused } = tally(guesses.map(({ status }) => status));
    expect([guessed, refused]).toEqual([60, 20]);
    const late = await times(4, () => owner.post('token', asked, from(addressIn(5))));
    expect(late.map(({ body }) => body.error)).toContain('temporarily_unavailable');
    const elsewhere = await owner.post('token', asked, from(addressIn(6)));
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('a flood of authorization requests adds nothing to Postgres beyond its limit, and to Redis only what goes by itself', async () => {
    const database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    try {
      const before = await rowsOf(database);
      const startedAt = performance.now();
      let asked = 0;
      let allowed = 0;
      while (performance.now() < startedAt + 2500 || asked < 100) {
        const answers = await times(40, () => authorize(addressIn(7)));
        asked += answers.length;
        allowed += statuses(answers)[303] ?? 0;
      }
      const added = (await rowsOf(database)) - before;
      expect(allowed).toBeLessThanOrEqual(most(startedAt));
      expect(asked).toBeGreaterThan(allowed);
      if (redis) expect(added).toBe(0);
      // Interactions, and two rows of limits.
      else expect(added).toBeLessThanOrEqual(allowed + 2);
    } finally {
      await database.end();
    }
    if (!redis) return;
    const client = new Redis(testRedisUrl());
    const keys = await client.keys(`${deployment.redisPrefix}*`);
    const expiries = await Promise.all(keys.map((key) => client.pttl(key)));
    const forGood = keys.filter((_key, index) => (expiries[index] ?? -1) < 0);
    client.disconnect();
    // Only the copy of the denylist says of itself that it is whole, for good.
    expect(forGood).toEqual([`${deployment.redisPrefix}{denylist}:w`]);
    expect(keys.length).toBeLessThan(1000);
  });
});

async function rowsOf(database: Client): Promise<number> {
  const tables = await database.query(`select tablename from pg_tables where schemaname = 'public'`);
  let sum = 0;
  for (const { tablename } of tables.rows) {
    const { rows } = await database.query(`select count(*) from "${tablename}"`);
    sum += Number(rows[0].count);
  }
  return sum;
}
