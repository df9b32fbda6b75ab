import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createGateway, type GatewayRequest, gatewayLimits } from '../support/gateway-verifier.ts';
import { createManualClock } from '../support/manual-clock.ts';

const issuer = 'https://login.example';
const audience = 'https://api.example';
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const published = (kid: string, { publicKey }: ReturnType<typeof rsa>, more: object = {}) => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  alg: 'RS256',
  use: 'sig',
  ...more,
});

describe('the strict verifier', () => {
  const [first, second] = [rsa(), rsa()];
  const clock = createManualClock();
  const seconds = () => Math.floor(clock.now() / 1000);
  const jsonOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** A valid token, except for what a test changes. */
  const tokenWith = (claims: object = {}, header: object = {}, key = first) => {
    const good = { iss: issuer, aud: audience, iat: seconds(), exp: seconds() + 900, scope: 'a b' };
    const signed = `${jsonOf({ alg: 'RS256', kid: 'first', ...header })}.${jsonOf({ ...good, ...claims })}`;
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key.privateKey).toString('base64url')}`;
  };

  const documents = (keys: object[], discovery: object = {}) => {
    const fetched: string[] = [];
    const fetch = async (url: string) => {
      fetched.push(url);
      return Response.json(
        url === `${issuer}/jwks` ? { keys } : { issuer, jwks_uri: `${issuer}/jwks`, ...discovery },
      );
    };
    return { fetched, fetch, keys };
  };
  const gatewayWith = ({ fetch }: ReturnType<typeof documents>, time = clock) =>
    createGateway({ issuer, audiences: ['https://first.example', audience], clock: time, fetch });

  let check: (token: string, request?: GatewayRequest) => Promise<number | string>;
  beforeAll(async () => {
    const gateway = await gatewayWith(documents([published('first', first)]));
    check = async (token, request) => {
      const answer = await gateway.check({ authorization: `Bearer ${token}`, ...request });
      return answer.status === 200 ? 200 : `${answer.status} ${answer.reason}`;
    };
  });

  test('accepts a valid token, with or without Bearer, and returns its claims', async () => {
    const gateway = await gatewayWith(documents([published('first', first)]));
    expect(await check(tokenWith())).toBe(200);
    expect(await gateway.check({ authorization: tokenWith({ sub: 'me' }), scopes: ['b'] })).toMatchObject({
      status: 200,
      claims: { sub: 'me' },
    });
    expect(await check(tokenWith({ aud: ['https://other.example', audience] }))).toBe(200);
  });

  test.each([
    ['another algorithm', {}, { alg: 'RS384' }, /^401 signing method RS384/],
    ['no signature', {}, { alg: 'none' }, /^401 signing method none/],
    ['no kid', {}, { kid: undefined }, /^401 the header has no kid/],
    ['an unknown kid', {}, { kid: 'other' }, /^401 kid other/],
    ['an issuer with one slash more', { iss: `${issuer}/` }, {}, /^401 issuer/],
    ['another audience', { aud: 'https://other.example' }, {}, /audience/],
    ['an audience that only begins alike', { aud: `${audience}/v1` }, {}, /audience/],
    ['client_id while there is an aud', { aud: 'x', client_id: audience }, {}, /audience/],
    ['neither aud nor client_id', { aud: undefined }, {}, /audience/],
    ['its last second over', { exp: Math.floor(createManualClock().now() / 1000) }, {}, /expired/],
    ['no exp', { exp: undefined }, {}, /exp is not a time/],
    ['an exp in words', { exp: '2100-01-01' }, {}, /exp is not a time/],
    ['no iat', { iat: undefined }, {}, /iat is not a time/],
    ['an iat to come', { iat: Math.floor(createManualClock().now() / 1000) + 1 }, {}, /in the future/],
    ['an nbf to come', { nbf: Math.floor(createManualClock().now() / 1000) + 1 }, {}, /not good yet/],
  ])('refuses %s', async (_what, claims, header, reason) => {
    expect(await check(tokenWith(claims, header))).toMatch(reason);
  });

  test('refuses a token that an elliptic key signed (ES256), with the words of API Gateway', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const [head, body] = tokenWith({}, { alg: 'ES256' }).split('.');
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), key).toString('base64url');
    expect(await check(`${head}.${body}.${signature}`)).toBe('401 signing method ES256 is invalid');
  });

  test('uses client_id if there is no aud', async () => {
    expect(await check(tokenWith({ aud: undefined, client_id: audience }))).toBe(200);
  });

  test('refuses a signature by another key, and a changed token', async () => {
    expect(await check(tokenWith({}, {}, second))).toBe('401 the signature is wrong');
    const [header, , signature] = tokenWith().split('.');
    const changed = jsonOf({ iss: issuer, aud: audience, iat: 0, exp: seconds() + 900 });
    expect(await check(`${header}.${changed}.${signature}`)).toBe('401 the signature is wrong');
  });

  test.each(['', 'opaque', 'a.b', 'a.b.c.d', 'é.b.c', 'bnVsbA.bnVsbA.bnVsbA'])(
    'refuses %j',
    async (token) => {
      expect(await check(token)).toMatch(/^401 (there is no JWT|the token is not made of)/);
    },
  );

  test("needs one of the route's scopes, in scope or scp, as a whole word", async () => {
    expect(await check(tokenWith(), { scopes: ['c', 'b'] })).toBe(200);
    expect(await check(tokenWith({ scope: undefined, scp: ['x', 'c'] }), { scopes: ['c'] })).toBe(200);
    expect(await check(tokenWith({ scope: undefined, scp: 'x c' }), { scopes: ['c'] })).toBe(200);
    for (const scope of ['c', 'ab', 'a,b', undefined])
      expect(await check(tokenWith({ scope }), { scopes: ['a', 'b'] })).toMatch(/^403/);
  });

  test('limits the bytes of request line and headers exactly', async () => {
    const token = tokenWith();
    const without = Buffer.byteLength(
      `GET /contracts HTTP/1.1\r\nx: \r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    const fill = (bytes: number) => ({ headers: { x: 'x'.repeat(bytes) } });
    expect(await check(token, fill(gatewayLimits.requestBytes - without))).toBe(200);
    expect(await check(token, fill(gatewayLimits.requestBytes - without + 1))).toMatch(/^431/);
  });

  test("caches keys for two hours, and doesn't fetch them again for an unknown kid", async () => {
    const server = documents([published('first', first)]);
    const time = createManualClock();
    const gateway = await gatewayWith(server, time);
    const status = async (key: typeof first, kid: string) =>
      (await gateway.check({ authorization: tokenWith({ exp: seconds() + 86_400 }, { kid }, key) })).status;
    expect(await status(first, 'first')).toBe(200);
    server.keys.splice(0, 1, published('second', second));
    expect(await status(second, 'second')).toBe(401);
    time.advance(gatewayLimits.keyCacheMs - 1);
    expect([await status(first, 'first'), await status(second, 'second')]).toEqual([200, 401]);
    expect(server.fetched.filter((url) => url.endsWith('/jwks'))).toHaveLength(1);
    time.advance(1);
    expect([await status(first, 'first'), await status(second, 'second')]).toEqual([401, 200]);
  });

  test('may keep keys for a shorter time: then a key that is no longer published is refused at once', async () => {
    const server = documents([published('first', first)]);
    const { fetch } = server;
    const gateway = await createGateway({ issuer, audiences: [audience], clock, fetch, keyCacheMs: 0 });
    const status = async () => (await gateway.check({ authorization: tokenWith() })).status;
    expect(await status()).toBe(200);
    server.keys.splice(0, 1, published('second', second));
    expect(await status()).toBe(401);
  });

  test('as a REST API, looks again at an unknown kid, and keeps keys for an hour', async () => {
    const server = documents([published('first', first)]);
    const { fetch } = server;
    const time = createManualClock();
    const gateway = await createGateway({
      kind: 'rest',
      issuer,
      audiences: [audience],
      clock: time,
      fetch,
    });
    const status = async (key: typeof first, kid: string) =>
      (await gateway.check({ authorization: tokenWith({ exp: seconds() + 86_400 }, { kid }, key) })).status;
    expect(await status(first, 'first')).toBe(200);
    server.keys.push(published('second', second));
    expect(await status(second, 'second')).toBe(200);
    server.keys.splice(0, 1);
    time.advance(gatewayLimits.restKeyCacheMs - 1);
    expect(await status(first, 'first')).toBe(200);
    time.advance(1);
    expect(await status(first, 'first')).toBe(401);
  });

  test('throws if discovery or key set take longer than 1,500 ms', async () => {
    const slow = (ms: number, path: RegExp) => {
      const time = createManualClock();
      const { fetch } = documents([published('first', first)]);
      const late = async (url: string) => {
        if (path.test(url)) time.advance(ms);
        return fetch(url);
      };
      return createGateway({ issuer, audiences: [audience], clock: time, fetch: late });
    };
    await expect(slow(gatewayLimits.documentMs + 1, /openid/)).rejects.toThrow('took 1501 ms');
    const gateway = await slow(gatewayLimits.documentMs + 1, /jwks/);
    await expect(gateway.check({ authorization: tokenWith() })).rejects.toThrow('took 1501 ms');
    const justInTime = await slow(gatewayLimits.documentMs, /./);
    expect((await justInTime.check({ authorization: tokenWith() })).status).toBe(200);
  });

  test.each(['http://login.example', `${issuer}?a=b`, `${issuer}/#x`])(
    "can't be created with the issuer %s",
    async (wrong) => {
      const { fetch } = documents([]);
      await expect(createGateway({ issuer: wrong, audiences: [audience], clock, fetch })).rejects.toThrow(
        'is not an https URL',
      );
    },
  );

  test('has at most 50 audiences, and a route at most 10 scopes', async () => {
    const { fetch } = documents([published('first', first)]);
    const withAudiences = (length: number) =>
      createGateway({ issuer, audiences: Array(length).fill(audience), clock, fetch });
    await expect(withAudiences(51)).rejects.toThrow('1 to 50 audiences');
    await expect(withAudiences(0)).rejects.toThrow('1 to 50 audiences');
    const gateway = await withAudiences(50);
    const authorization = tokenWith();
    expect(await gateway.check({ authorization, scopes: Array(10).fill('a') })).toMatchObject({
      status: 200,
    });
    await expect(gateway.check({ authorization, scopes: Array(11).fill('a') })).rejects.toThrow('10 scopes');
  });

  test('an issuer with a slash at its end needs tokens with the slash', async () => {
    const withSlash = `${issuer}/`;
    const { fetch } = documents([published('first', first)], { issuer: withSlash });
    const gateway = await createGateway({ issuer: withSlash, audiences: [audience], clock, fetch });
    const status = async (iss: string) => (await gateway.check({ authorization: tokenWith({ iss }) })).status;
    expect([await status(withSlash), await status(issuer)]).toEqual([200, 401]);
  });

  test.each([
    ['an elliptic key', published('first', first, { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' })],
    ['a key for another algorithm', published('first', first, { alg: 'PS256' })],
    ['a key for encryption', published('first', first, { use: 'enc' })],
    ['a key without kid', published('first', first, { kid: undefined })],
  ])('throws at a key set with %s', async (_what, key) => {
    const gateway = await gatewayWith(documents([published('other', second), key]));
    await expect(gateway.check({ authorization: tokenWith() })).rejects.toThrow('not for RS256');
  });

  test("can't be created without a discovery document of its issuer or with one that is too long", async () => {
    const made = (discovery: object) => gatewayWith(documents([], discovery));
    await expect(made({ issuer: `${issuer}/` })).rejects.toThrow('discovery is of issuer');
    await expect(made({ more: 'x'.repeat(gatewayLimits.documentBytes) })).rejects.toThrow('bytes');
    const keys = [published('first', first, { more: 'x'.repeat(gatewayLimits.documentBytes) })];
    const gateway = await gatewayWith(documents(keys));
    await expect(gateway.check({ authorization: tokenWith() })).rejects.toThrow('bytes');
  });
});
