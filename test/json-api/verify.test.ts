import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createErrorAnswers } from '../../provider/http/error-handler.ts';
import { matchRoute } from '../../provider/http/routes.ts';
import { type Identity, verifyHandler } from '../../provider/json-api/verify.ts';
import { verifyPath } from '../../provider/json-api/verify-target.ts';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { acrLevels, multiFactorAcr, passwordAcr } from '../../provider/lib/password-sign-in.ts';
import type { TokenStatus } from '../../provider/revocation/outage-tolerance.ts';
import { type CallOptions, httpCall } from '../support/http-call.ts';

const api = 'https://api.example.com';
const other = 'https://other.example.com';
const person: Identity = { sub: 'user_1', client_id: 'web', aud: api, scope: 'openid a b' };
const now = 1_800_000_000;
const signedIn = { ...person, acr: passwordAcr, auth_time: now - 300 };
const tokens: Record<string, Identity> = {
  password: signedIn,
  two: { ...signedIn, acr: multiFactorAcr },
  good: person,
  foreign: { ...person, aud: other },
  userinfo: { ...person, aud: 'https://login.example.com' },
  bound: { ...person, cnf: { jkt: 'x' } },
  bare: { sub: 'robot', client_id: 'robot', aud: api },
};

let tokenStatus: (token: Identity) => Promise<TokenStatus>;
let asked: Identity[];
let counted: string[];
let server: Server;
let origin: string;
beforeEach(async () => {
  tokenStatus = async () => 'active';
  asked = [];
  counted = [];
  const logger = { error: () => {}, warn: () => {} };
  const answerError = createErrorAnswers({ logger, sendErrorPage: () => {} });
  const { [verifyPath]: answer } = verifyHandler({
    read: async (token) => (Object.hasOwn(tokens, token) ? tokens[token] : undefined),
    tokenStatus: (token) => {
      asked.push(token);
      return tokenStatus(token);
    },
    audiences: [api, other],
    defaultAudience: api,
    acrValues: acrLevels,
    clock: { now: () => now * 1000 },
    metrics: { verified: (outcome) => void counted.push(outcome) },
  });
  server = createServer((request, response) => {
    const matched = matchRoute('GET', request.url ?? '');
    if (answer && matched.label === verifyPath)
      answer(request, response).catch((error) => answerError(request, response, matched, error));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const ask = (token: string, behind = '', options: CallOptions = {}) =>
  httpCall(origin, `/auth/verify${behind}`, {
    ...options,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...options.headers },
  });
const codeOf = ({ body }: { body: string }) => (JSON.parse(body) as { code: string }).code;

test('the 200 response is empty, is not cached, and identifies the person', async () => {
  const { status, headers, body } = await ask('good');
  expect([status, body, headers['cache-control'], headers['content-length']]).toEqual([
    ...[200, '', 'no-store', '0'],
  ]);
  expect(headers['content-type']).toBeUndefined();
  expect(headers).toMatchObject({
    'x-auth-subject': 'user_1',
    'x-auth-email': '',
    'x-auth-revocation': 'checked',
  });
  expect(counted).toEqual(['accepted']);
});

test.each<[token: string, behind: string, status: number]>([
  ['', '', 401],
  ['nonsense', '', 401],
  ['foreign', '', 401],
  ['userinfo', '', 401],
  ['bound', '', 401],
  ['good', `?audience=${other}`, 401],
  ['foreign', `?audience=${other}`, 200],
  ['good', '?scope=a', 200],
  ['good', '?scope=a+b&scope=openid', 200],
  ['good', '?scope=a+c', 403],
  ['good', ';scope=c/?scope=a', 403],
  ['bare', '', 200],
  ['bare', '?scope=a', 403],
  ['good', '?audience=https://third.example.com', 400],
  ['good', '?page=2', 400],
  ['good', '/?page=2', 200],
])('the token %s at the target %s gets the status %i', async (token, behind, status) => {
  const answer = await ask(token, behind);
  expect([answer.status, answer.headers['cache-control']]).toEqual([status, 'no-store']);
  if (status !== 200) expect(answer.headers['x-auth-subject']).toBeUndefined();
  const outcome: Record<number, string[]> = { 200: ['accepted'], 400: [] };
  expect(counted).toEqual(outcome[status] ?? ['refused']);
});

test('the challenge names the problem (RFC 6750 §3)', async () => {
  const challengeOf = async (token: string, behind?: string) =>
    (await ask(token, behind)).headers['www-authenticate'];
  expect(await challengeOf('')).toBe('Bearer');
  expect(await challengeOf('bound')).toContain('bound to a key');
  expect(await challengeOf('foreign')).toContain('for another audience');
  expect(await challengeOf('good', '?scope=x+y')).toMatch(
    /^Bearer error="insufficient_scope", .*, scope="x y"$/,
  );
  const basic = await ask('', '', { headers: { authorization: 'Basic YTpi' } });
  expect([basic.status, basic.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  const dpop = await ask('', '', { headers: { authorization: 'DPoP good', dpop: 'x.y.z' } });
  expect([dpop.status, dpop.headers['www-authenticate']]).toEqual([401, 'Bearer']);
});

describe('the check of the sign-in (RFC 9470)', () => {
  const level1 = encodeURIComponent(passwordAcr);
  const level2 = encodeURIComponent(multiFactorAcr);
  const refused = 'insufficient_user_authentication';

  test.each([
    ['password', `?acr=${level1}`],
    ['two', `?acr=${level1}`],
    ['two', `;acr=${level2}/orders?acr=x`],
    ['password', `?acr=${level2}+${level1}`],
    ['password', '?max_age=300'],
  ])('accepts the token %s at the target %s', async (token, behind) => {
    expect((await ask(token, behind)).status).toBe(200);
  });

  test.each([
    ['password', `?acr=${level2}`, `acr_values="${multiFactorAcr}"`],
    ['password', `?acr=${level2}&max_age=299`, `acr_values="${multiFactorAcr}", max_age="299"`],
    ['password', '?max_age=299', 'max_age="299"'],
    ['password', ';max_age=299/?max_age=900', 'max_age="299"'],
    ['bare', '?max_age=999999999', 'max_age="999999999"'],
    ['bare', `?acr=${level1}`, `acr_values="${passwordAcr}"`],
  ])('refuses the token %s at the target %s with the challenge %s', async (token, behind, refusal) => {
    const answer = await ask(token, behind);
    expect([answer.status, codeOf(answer), counted]).toEqual([401, refused, ['refused']]);
    const challenge = answer.headers['www-authenticate'];
    expect(challenge).toMatch(new RegExp(`^Bearer error="${refused}", error_description="[^"]+", `));
    expect(challenge).toContain(`, ${refusal}`);
  });

  test('a missing level is named before a missing scope, and a revoked token has no other problem', async () => {
    expect(codeOf(await ask('password', `?acr=${level2}&scope=z`))).toBe(refused);
    tokenStatus = async () => 'revoked';
    expect(codeOf(await ask('password', `?acr=${level2}`))).toBe('invalid_token');
  });

  test('a level that no sign-in reaches is a mistake of the gateway', async () => {
    const answer = await ask('password', '?acr=urn:other');
    expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('acr_values_supported')]);
  });
});

describe('the revocation check', () => {
  test('refuses a revoked token, whatever its scopes', async () => {
    tokenStatus = async () => 'revoked';
    const answer = await ask('good', '?scope=c');
    expect([answer.status, codeOf(answer)]).toEqual([401, 'invalid_token']);
    expect(counted).toEqual(['refused']);
  });

  test('runs only if all other checks succeed', async () => {
    for (const token of ['', 'foreign', 'bound']) await ask(token);
    expect(asked).toEqual([]);
    await ask('good', '/orders');
    expect(asked).toEqual([person]);
  });

  test('answers with 503 and Retry-After if a store is unreachable', async () => {
    tokenStatus = () => Promise.reject(new StoreUnavailable('postgres', undefined));
    const answer = await ask('good');
    expect([answer.status, answer.headers['retry-after'], codeOf(answer)]).toEqual([
      503,
      '2',
      'store_unavailable',
    ]);
    expect(counted).toEqual(['unavailable']);
  });

  test('does not count an internal error as an answer', async () => {
    tokenStatus = () => Promise.reject(new Error('broken'));
    expect((await ask('good')).status).toBe(500);
    expect(counted).toEqual([]);
  });

  test('marks and counts an accepted token as unchecked during an outage, and still requires its scopes', async () => {
    tokenStatus = async () => 'unchecked';
    const { status, headers } = await ask('good', '?scope=a');
    expect([status, headers['x-auth-revocation']]).toEqual([200, 'unchecked']);
    expect((await ask('good', '?scope=c')).status).toBe(403);
    expect((await ask('foreign')).status).toBe(401);
    expect(counted).toEqual(['accepted_unchecked', 'refused', 'refused']);
  });
});

describe('a body', () => {
  test('is ignored, whatever it contains', async () => {
    const answer = await ask('good', '/orders', { method: 'POST', body: 'x'.repeat(2000) });
    expect([answer.status, answer.body]).toEqual([200, '']);
  });

  test('that is announced but not sent closes the connection, so the next request is not read as the body', async () => {
    const question = (token: string, announced: number) =>
      `GET /auth/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${announced}\r\n\r\n`;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
    });
    socket.write(question('nonsense', 1000) + question('good', 0));
    await once(socket, 'close');
    expect(received.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 401']);
    expect(received).toMatch(/^Connection: close/im);
  });

  test('that is empty or missing keeps the connection open', async () => {
    for (const headers of [{}, { 'content-length': '0' }]) {
      const kept = await ask('good', '', { headers: { ...headers, connection: 'keep-alive' } });
      expect(kept.headers.connection).toBe('keep-alive');
    }
  });
});

test.each(['/auth/verifyx', '/auth/verify.', '/auth/verif', '/x/auth/verify', '/auth', '/auth/%76erify'])(
  '%s is not the address of the endpoint',
  async (target) => {
    const headers = { authorization: 'Bearer good' };
    expect((await httpCall(origin, target, { headers })).status).toBe(404);
  },
);
