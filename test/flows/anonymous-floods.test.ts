import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { anonymousRecord } from '../../provider/ports/oidc-store.ts';
import { type Leftover, leftovers } from '../../provider/rate-limits/leftovers.ts';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { createDpopKey, type DpopKey } from '../support/dpop.ts';
import { postJson } from '../support/json-api.ts';
import { testRedisUrl } from '../support/redis.ts';
import { type Parameters, pkce } from '../support/test-client.ts';
import { appDocument, createApp } from './apps.ts';
import { deviceFlow, tvDocument } from './devices.ts';
import { addressIn, from, fromAnywhere } from './limits-world.ts';

const clients = [appDocument('spa', { auth: 'none' }), tvDocument('tv', { auth: 'none' })];
const kinds = [
  { store: 'redis', name: 'Postgres and Redis' },
  { store: 'postgres', name: 'Postgres alone' },
] as const;

/** Each flood comes from so many networks, once from each. */
const requests = 40;
/** The stores keep a record up to a minute longer, because clocks differ. */
const marginMs = 60_000;

/** What a flood left, without counters. */
interface Left {
  records: number;
  bytes: number;
  longestMs: number;
}

/** A record of a store: its size, and when it expires; undefined when it never does. */
interface StoredRecord {
  bytes: number;
  expiresInMs: number | undefined;
}

describe.each(kinds)('anonymous requests on $name', ({ store }) => {
  let deployment: Deployment;
  let database: Client;
  let redis: Redis;
  let dpop: DpopKey;
  beforeAll(async () => {
    const env = { ...fromAnywhere, ...deviceFlow };
    deployment = await startServers({ env, redis: store === 'redis', clients });
    database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    redis = new Redis(testRedisUrl());
    dpop = await createDpopKey();
  }, 120_000);
  afterAll(async () => {
    redis?.disconnect();
    await database?.end();
    await deployment?.stop();
  });

  /** Every record by its name. The names of counters begin with `limits`. */
  async function records(): Promise<Map<string, StoredRecord>> {
    const found = new Map<string, StoredRecord>();
    // The process that does the jobs renews its lease all the time, also without requests.
    const tables = await database.query(
      `select tablename from pg_tables where schemaname = 'public' and tablename <> 'leases'`,
    );
    for (const { tablename } of tables.rows) {
      const { rows } = await database.query(
        `select t.ctid::text, pg_column_size(t.*) as bytes, to_jsonb(t) ->> 'expires_at' as expires_at
         from "${tablename}" t`,
      );
      for (const { ctid, bytes, expires_at } of rows)
        found.set(`${tablename} ${ctid}`, {
          bytes: Number(bytes),
          expiresInMs: expires_at === null ? undefined : Number(expires_at) - Date.now(),
        });
    }
    for (const key of await redis.keys(`${deployment.redisPrefix}*`)) {
      if (key.includes('{denylist}')) continue;
      const [bytes, ttl] = await Promise.all([redis.memory('USAGE', key), redis.pttl(key)]);
      const name = key.endsWith(':l') ? `limits ${key}` : `redis ${key}`;
      found.set(name, { bytes: Number(bytes), expiresInMs: ttl < 0 ? undefined : ttl });
    }
    return found;
  }

  /** Sends the requests and gives what they left; every one must be answered with one of these statuses. */
  async function flood(send: (index: number) => Promise<{ status: number }>, answered: number[]) {
    const before = await records();
    const answers = await atOnce(requests, send);
    expect(answers.map(({ status }) => status).filter((status) => !answered.includes(status))).toEqual([]);
    const added = [...(await records())].filter(([name]) => !before.has(name));
    const left: Left = { records: 0, bytes: 0, longestMs: 0 };
    for (const [name, { bytes, expiresInMs }] of added) {
      if (name.startsWith('limits')) continue;
      left.records += 1;
      left.bytes += bytes;
      left.longestMs = Math.max(left.longestMs, expiresInMs ?? Number.POSITIVE_INFINITY);
    }
    return left;
  }

  const address = (index: number) => from(addressIn(index));
  const get = async (path: string, index: number, headers: Record<string, string> = {}) => {
    const response = await deployment.fetch(`${deployment.issuer}${path}`, {
      headers: { ...address(index), accept: 'text/html', ...headers },
    });
    await response.arrayBuffer();
    return response;
  };
  const post = async (path: string, body: Parameters, index: number) => {
    const response = await deployment.fetch(`${deployment.issuer}${path}`, {
      method: 'POST',
      headers: { ...address(index), accept: 'text/html' },
      body: new URLSearchParams(body as Record<string, string>),
    });
    await response.arrayBuffer();
    return response;
  };

  const request = {
    client_id: 'spa',
    redirect_uri: 'http://localhost:8080/spa/callback',
    response_type: 'code',
    scope: 'openid',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
  };
  /** The parameters with one more, so long that all together have the longest length. */
  const longest = (
    parameters: Record<string, string>,
    name: string,
    most: number = anonymousRecord.mostParameterBytes,
  ) => {
    const length = (value: string) =>
      Object.entries({ ...parameters, [name]: value })
        .map((pair) => Buffer.byteLength(JSON.stringify(pair)))
        .reduce((sum, bytes) => sum + bytes, 0);
    const value = 'x'.repeat(most - length(''));
    return { ...parameters, [name]: value };
  };
  const authorize = (index: number) =>
    get(`/oauth2/authorize?${new URLSearchParams(longest(request, 'state'))}`, index);
  const push = async (index: number, headers: Record<string, string> = {}) =>
    createApp(deployment, 'spa', 'public').post('par', longest(request, 'state'), {
      ...address(index),
      ...headers,
    });
  const askForCode = (index: number) =>
    createApp(deployment, 'tv', 'public').post(
      'device',
      longest({ client_id: 'tv', scope: 'openid' }, 'acr_values', anonymousRecord.mostDeviceParameterBytes),
      { ...address(index), 'user-agent': 'x'.repeat(300) },
    );

  const floods: Record<Leftover['id'], { send(index: number): Promise<{ status: number }>; status: number }> =
    {
      page: { send: authorize, status: 303 },
      pushed: { send: push, status: 201 },
      'pushed-dpop': {
        send: async (index) => push(index, await dpop.header('POST', `${deployment.issuer}/oauth2/par`)),
        status: 201,
      },
      'device-code': { send: askForCode, status: 200 },
      'device-page': { send: (index) => get('/device', index), status: 200 },
    };

  test.each(leftovers)('$request: each leaves at most what docs/limits.md says', async (leftover) => {
    const { send, status } = floods[leftover.id];
    const { bytes, longestMs } = await flood(send, [status]);
    const each = bytes / requests;
    expect(each).toBeLessThanOrEqual(4096);
    expect(each).toBeLessThanOrEqual(leftover.mostBytes[store]);
    // Otherwise the page would say much more than is true.
    expect(each).toBeGreaterThan(leftover.mostBytes[store] * 0.8);
    expect(longestMs).toBeGreaterThan(0);
    expect(longestMs).toBeLessThanOrEqual(leftover.seconds * 1000 + (store === 'redis' ? marginMs : 0));
  });

  const bearer = { authorization: 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA' };
  const nothing: [what: string, send: (index: number) => Promise<{ status: number }>, status: number][] = [
    ['a logout without a session', (index) => get('/oauth2/logout?state=abc', index), 303],
    [
      'a logout of an app without a session',
      (index) =>
        get(
          `/oauth2/logout?client_id=spa&post_logout_redirect_uri=${encodeURIComponent('http://localhost:8080/signed-out')}`,
          index,
        ),
      303,
    ],
    ['a logout by a form', (index) => post('/oauth2/logout', { state: 'abc' }, index), 303],
    [
      'the confirmation of a logout',
      (index) => post('/oauth2/logout/confirm', { xsrf: 'a', logout: 'yes' }, index),
      400,
    ],
    ['the page after a logout', (index) => get('/oauth2/logout/success', index), 200],
    [
      'an authorization request without a page',
      (index) => get(`/oauth2/authorize?${new URLSearchParams({ ...request, prompt: 'none' })}`, index),
      303,
    ],
    ['an unknown step', (index) => get('/oauth2/authorize/made-up', index), 400],
    ['an unknown sign-in page', (index) => get('/interaction/made-up', index), 400],
    ['an unknown form', (index) => post('/interaction/made-up/sign-in', { email: 'a@b.de' }, index), 400],
    ['a device code without the form', (index) => post('/device', { user_code: 'BCDFGHJK' }, index), 400],
    ['an unknown device step', (index) => get('/device/made-up', index), 400],
    ['the account page', (index) => get('/account', index), 303],
    ['a form of the account page', (index) => post('/account/end', { id: 'a' }, index), 400],
    [
      'a made-up code',
      async (index) =>
        createApp(deployment, 'spa', 'public').redeem(
          'made-up',
          {},
          { ...address(index), ...(await dpop.header('POST', `${deployment.issuer}/oauth2/token`)) },
        ),
      400,
    ],
    [
      'a made-up token to revoke',
      (index) => post('/oauth2/revoke', { client_id: 'spa', token: 'x' }, index),
      200,
    ],
    ['an introspection by nobody', (index) => post('/oauth2/introspect', { token: 'x' }, index), 400],
    ['a made-up access token at userinfo', (index) => get('/oauth2/userinfo', index, bearer), 401],
    ['a made-up access token at the profile', (index) => get('/user/profile', index, bearer), 401],
    ['a made-up access token at verify', (index) => get('/auth/verify', index, bearer), 401],
    [
      'a made-up refresh token',
      (index) => postJson(deployment, '/auth/refresh', { refreshToken: 'x' }, address(index)),
      401,
    ],
    [
      'a made-up refresh token to sign out',
      (index) => postJson(deployment, '/auth/logout', { refreshToken: 'x' }, address(index)),
      204,
    ],
    [
      'a parameter of 50 KB, pushed',
      (index) =>
        createApp(deployment, 'spa', 'public').post(
          'par',
          { ...request, state: 'x'.repeat(50_000) },
          address(index),
        ),
      413,
    ],
    [
      'a parameter of 50 KB for a device code',
      (index) =>
        createApp(deployment, 'tv', 'public').post(
          'device',
          { scope: 'openid', acr_values: 'x'.repeat(50_000) },
          address(index),
        ),
      413,
    ],
    [
      'a parameter of 9 KB',
      (index) =>
        get(`/oauth2/authorize?${new URLSearchParams({ ...request, state: 'x'.repeat(9_000) })}`, index),
      413,
    ],
    ['a long state at a logout', (index) => get(`/oauth2/logout?state=${'x'.repeat(9_000)}`, index), 413],
    [
      'claims that get longer when they are written again',
      (index) =>
        createApp(deployment, 'spa', 'public').post(
          'par',
          { ...request, claims: `{"userinfo":{"email":{"values":[${'1e20,'.repeat(300)}1]}}}` },
          address(index),
        ),
      400,
    ],
  ];
  test.each(nothing)('%s leaves nothing but counters', async (_what, send, status) => {
    expect(await flood(send, [status])).toEqual({ records: 0, bytes: 0, longestMs: 0 });
  });

  test('the cookie of a session that is gone stores no other one', async () => {
    const response = await get('/device', 1);
    const cookie = response.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
    expect(cookie).toContain('gatehouse_session=');
    await database.query('delete from oidc_artifacts');
    const stored = await redis.keys(`${deployment.redisPrefix}*`);
    if (stored.length > 0) await redis.del(...stored.filter((key) => !key.includes('{denylist}')));
    const paths = [
      `/oauth2/authorize?${new URLSearchParams({ ...request, prompt: 'none' })}`,
      '/oauth2/logout',
      '/oauth2/authorize/made-up',
    ];
    for (const path of paths) {
      const left = await flood((index) => get(path, index, { cookie }), [303, 400]);
      expect([path, left.records]).toEqual([path, 0]);
    }
  });

  test('an error for long parameters names the longest one, and says how long it may be', async () => {
    const { status, body } = await createApp(deployment, 'spa', 'public').post('par', {
      ...request,
      state: 'x'.repeat(3000),
    });
    expect(status).toBe(413);
    expect(body.error).toBe('invalid_request');
    expect(body.error_description).toMatch(
      /^The parameters have 3\d{3} bytes; at most 2048 are accepted\. The longest is state with 3012 bytes\./,
    );
  });
});
