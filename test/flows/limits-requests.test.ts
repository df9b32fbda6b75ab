import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { testRedisUrl } from '../support/redis.ts';
import { createTestClient, demoApps, type Parameters } from '../support/test-client.ts';
import { appDocument, createApp, tally } from './apps.ts';
import { deviceFlow, tvDocument } from './devices.ts';
import { addressIn, countRows, from, fromAnywhere, retryAfter } from './limits-world.ts';

const origin = 'https://spa.example.com';
const clients = [
  appDocument('guessed'),
  appDocument('browser', { auth: 'none', origins: [origin] }),
  tvDocument('tv', { auth: 'none' }),
];
const kinds = [
  { name: 'Postgres and Redis', redis: true },
  { name: 'Postgres alone', redis: false },
];

describe.each(kinds)('G9, limits of public endpoints, over two processes, on $name', ({ redis }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    // A fiftieth of the default limits by address and network, so that the test reaches them sooner.
    const env = { ...fromAnywhere, ...deviceFlow, GATEHOUSE_LIMITS_PERCENT: '2' };
    deployment = await startServers({ env, redis, clients });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const authorize = (address: string, parameters: Parameters = {}) => {
    const url = createTestClient(deployment, demoApps.web).authorizationUrl(parameters);
    return deployment.fetch(url, { headers: { ...from(address), accept: 'text/html' } });
  };
  /** These requests lead to no page. */
  const silently = { prompt: 'none' };
  /** 12 for all processes, one for each of two processes, and one more every five seconds. */
  const most = (startedAt: number) => 15 + (performance.now() - startedAt) / 5000;
  const statuses = (answers: readonly Response[]) => tally(answers.map(({ status }) => status));

  test('authorization requests are limited by address, and the page says so', async () => {
    const startedAt = performance.now();
    const answers = await atOnce(60, () => authorize(addressIn(1), silently));
    const { 303: allowed, 429: refused } = statuses(answers);
    expect(allowed).toBeGreaterThanOrEqual(12);
    expect(allowed).toBeLessThanOrEqual(most(startedAt));
    expect(refused).toBe(60 - Number(allowed));
    const last = await authorize(addressIn(1), silently);
    if (last.status === 429) expect(await last.text()).toContain('Try again in a moment');
    for (const answer of answers.filter(({ status }) => status === 429)) {
      expect(retryAfter(answer)).toBeGreaterThan(0);
      expect(retryAfter(answer)).toBeLessThanOrEqual(60);
      expect(answer.headers.get('location')).toBeNull();
      expect(answer.headers.get('content-type')).toContain('text/html');
    }
    expect((await authorize(addressIn(2))).status).toBe(303);
  });

  test('authorization requests that lead to a page have a lower limit, with an error page', async () => {
    const startedAt = performance.now();
    const answers = await atOnce(10, () => authorize(addressIn(8)));
    const { 303: allowed, 429: refused } = statuses(answers);
    expect(allowed).toBeGreaterThanOrEqual(2);
    // One more every half minute.
    expect(allowed).toBeLessThanOrEqual(2 + Math.ceil((performance.now() - startedAt) / 30_000));
    expect(refused).toBe(10 - Number(allowed));
    for (const answer of answers.filter(({ status }) => status === 429)) {
      expect(retryAfter(answer)).toBeGreaterThan(0);
      expect(answer.headers.get('location')).toBeNull();
      expect(await answer.text()).toContain('Try again in a moment');
    }
    expect((await authorize(addressIn(8), silently)).status).toBe(303);
    expect(await metric(deployment, 'gatehouse_limited_total', 'action="page"', 'by="address"')).toBe(
      refused,
    );
  });

  const doors: [door: string, ask: (address: string) => Promise<{ status: number }>, atLeast: number][] = [
    ['/oauth2/par', (address) => web().post('par', {}, from(address)), 120],
    ['/oauth2/device', (address) => web().post('device', {}, from(address)), 120],
    ['/oauth2/revoke', (address) => web().post('revoke', { token: 'none' }, from(address)), 120],
    [
      '/auth/logout',
      (address) => postJson(deployment, '/auth/logout', { refreshToken: 'none' }, from(address)),
      120,
    ],
    [
      'the page at /device',
      (address) => deployment.fetch(`${deployment.issuer}/device`, { headers: from(address) }),
      2,
    ],
    ['/oauth2/par of a public client', (address) => spa().post('par', pushed(), from(address)), 2],
    [
      '/oauth2/device of a public client',
      (address) => tv().post('device', { scope: 'openid' }, from(address)),
      1,
    ],
    ['/oauth2/logout', (address) => at('/oauth2/logout', address), 12],
    ['/oauth2/logout/success', (address) => at('/oauth2/logout/success', address), 12],
    ['/oauth2/introspect', (address) => web().post('introspect', { token: 'x' }, from(address)), 600],
    ['/oauth2/userinfo', (address) => at('/oauth2/userinfo', address), 120],
    ['/user/profile', (address) => at('/user/profile', address), 120],
    ['a step of a sign-in', (address) => at('/interaction/made-up', address), 24],
    ['the end of a sign-in', (address) => at('/oauth2/authorize/made-up', address), 24],
    ['the account page', (address) => at('/account', address), 12],
  ];
  const web = () => createTestClient(deployment, demoApps.web);
  const spa = () => createApp(deployment, 'browser', 'public');
  const tv = () => createApp(deployment, 'tv', 'public');
  const pushed = () => Object.fromEntries(new URL(spa().authorizationUrl()).searchParams);
  const at = (path: string, address: string) =>
    deployment.fetch(`${deployment.issuer}${path}`, { headers: from(address) });
  test.each(doors)('%s is limited by address', async (door, ask, atLeast) => {
    const address = addressIn(20 + doors.findIndex(([name]) => name === door));
    const count = atLeast * 2 + 10;
    const all = tally((await atOnce(count, () => ask(address))).map(({ status }) => status));
    const refused = all[429] ?? 0;
    expect(refused).toBeGreaterThan(0);
    expect(count - refused).toBeGreaterThanOrEqual(atLeast);
    expect((await ask(addressIn(60 + doors.length))).status).not.toBe(429);
  });

  test('a repeated sign-out writes nothing', async () => {
    const { refreshToken } = await apiLogin(deployment);
    const signOut = () => postJson(deployment, '/auth/logout', { refreshToken }, from(addressIn(9)));
    expect((await signOut()).status).toBe(204);
    const database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    try {
      const written = async () =>
        (await database.query('select xmin::text, key, expires_at from revocations order by key')).rows;
      const before = await written();
      expect(before.length).toBeGreaterThan(0);
      expect(statuses(await atOnce(5, signOut))).toEqual({ 204: 5 });
      expect(await written()).toEqual(before);
    } finally {
      await database.end();
    }
  });

  test('limited token requests get an error of the protocol, which a page of a registered origin can read', async () => {
    const app = createApp(deployment, 'browser', 'public');
    const headers = { ...from(addressIn(3)), origin };
    const asked = { grant_type: 'refresh_token', refresh_token: 'no-such-token' };
    const answers = await atOnce(250, () => app.post('token', asked, headers));
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

  test('limited requests to /auth/refresh get a problem document', async () => {
    const headers = { ...from(addressIn(4)), origin };
    const answers = await atOnce(250, () =>
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

  test('guesses at a client’s secret are limited for the guesser alone', async () => {
    const [wrong, owner] = [createApp(deployment, 'guessed', 'a-guess'), createApp(deployment, 'guessed')];
    const asked = { grant_type: 'refresh_token', refresh_token: 'none' };
    const guesses = await atOnce(80, () => wrong.post('token', asked, from(addressIn(5))));
    const { 401: guessed, 429: refused } = tally(guesses.map(({ status }) => status));
    expect([guessed, refused]).toEqual([60, 20]);
    const late = await atOnce(4, () => owner.post('token', asked, from(addressIn(5))));
    expect(late.map(({ body }) => body.error)).toContain('temporarily_unavailable');
    const elsewhere = await owner.post('token', asked, from(addressIn(6)));
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('a flood of authorization requests adds nothing to Postgres beyond its limit, and to Redis only keys that expire', async () => {
    const database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    try {
      const before = await countRows(database);
      const startedAt = performance.now();
      let asked = 0;
      let allowed = 0;
      while (performance.now() < startedAt + 2500 || asked < 100) {
        const answers = await atOnce(40, () => authorize(addressIn(7)));
        asked += answers.length;
        allowed += statuses(answers)[303] ?? 0;
      }
      const added = (await countRows(database)) - before;
      expect(allowed).toBeLessThanOrEqual(most(startedAt));
      expect(asked).toBeGreaterThan(allowed);
      if (redis) expect(added).toBe(0);
      // Interactions, and the counters by address, by network and for all.
      else expect(added).toBeLessThanOrEqual(allowed + 5);
    } finally {
      await database.end();
    }
    if (!redis) return;
    const client = new Redis(testRedisUrl());
    const keys = await client.keys(`${deployment.redisPrefix}*`);
    const expiries = await Promise.all(keys.map((key) => client.pttl(key)));
    const forGood = keys.filter((_key, index) => (expiries[index] ?? -1) < 0);
    client.disconnect();
    // Only the copy of the denylist doesn't expire. It is one key.
    expect(forGood).toEqual([`${deployment.redisPrefix}{denylist}:entries`]);
    expect(keys.length).toBeLessThan(1000);
  });
});
