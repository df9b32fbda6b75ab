/**
 * Sends nearly valid input to every endpoint. Each answer must be of the right kind and no 5xx, the process must keep
 * running, and the log must contain no secret. Each run prints its seed. To repeat a run: `FUZZ_SEED=<seed> npm test --
 * test/flows/fuzz.test.ts`. To run longer: `FUZZ_RUNS=5000`, the tries for each endpoint. The default is about 170, or
 * as many as three seconds allow.
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { jsonApiEndpoints } from '../../provider/json-api/endpoints.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import { type RawAnswer, rawHttp, requestBytes, type Sent } from '../support/raw-http.ts';
import { createTestClient, demoApps, pkce } from '../support/test-client.ts';
import { cookieHeader, createUserAgent, hiddenField } from '../support/user-agent.ts';
import { inside } from './bad-input/answer-checks.ts';
import { form, sentinel } from './bad-input/row.ts';
import { headerValues, nearForm, nearJson } from './fuzz/odd-values.ts';

const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
const runs = process.env.FUZZ_RUNS === undefined ? undefined : Number(process.env.FUZZ_RUNS);
/** The number of parallel tries. A refused sign-in takes a second. */
const atOnce = 16;
const bounds =
  runs === undefined
    ? { numRuns: 20, interruptAfterTimeLimit: 3_000 }
    : { numRuns: Math.ceil((2 * runs) / atOnce) };

if (runs !== undefined) jest.setTimeout(60_000 + 200 * runs);

const { email, password } = demo;
const valid = { email: [email], password: [password], clientId: ['demo-first-party'] };
const jsonEndpoints = jsonApiEndpoints({} as never).flatMap(({ path, body }) =>
  body ? [{ path, keys: Object.keys(z.toJSONSchema(body, { io: 'input' }).properties ?? {}) }] : [],
);

const web = { client_id: 'demo-web', client_secret: 'demo-web-secret' };
const firstParty = { client_id: 'demo-first-party' };
const asked = {
  client_id: 'demo-web',
  redirect_uri: demoApps.web.redirectUri,
  response_type: 'code',
  scope: 'openid',
  state: 's',
  code_challenge: pkce.challenge,
  code_challenge_method: 'S256',
};
const authorization = (
  'prompt max_age nonce claims resource id_token_hint login_hint ui_locales acr_values response_mode request ' +
  'request_uri registration dpop_jkt display web_message_uri'
).split(' ');
const proofs = ['client_assertion', 'client_assertion_type', 'client_secret', 'resource', 'scope'];

/** Forms by endpoint, each with valid fields. */
const forms: [what: string, path: string, good: Record<string, string>, names: string[]][] = [
  ['the authorization endpoint', '/oauth2/authorize', asked, authorization],
  ['a pushed request', '/oauth2/par', { ...asked, ...web }, [...authorization, ...proofs]],
  [
    'the code grant',
    '/oauth2/token',
    {
      grant_type: 'authorization_code',
      code: `${sentinel}-code`,
      redirect_uri: demoApps.web.redirectUri,
      code_verifier: pkce.verifier,
      ...web,
    },
    proofs,
  ],
  [
    'the refresh grant',
    '/oauth2/token',
    { grant_type: 'refresh_token', refresh_token: `fam_x.${sentinel}`, ...firstParty },
    proofs,
  ],
  [
    'the password grant',
    '/oauth2/token',
    { grant_type: 'password', username: email, password, ...firstParty },
    proofs,
  ],
  [
    'the client credentials grant',
    '/oauth2/token',
    { grant_type: 'client_credentials', client_id: 'demo-service', client_secret: 'demo-service-secret' },
    proofs,
  ],
  ['introspection', '/oauth2/introspect', { token: `${sentinel}.a`, ...web }, ['token_type_hint', ...proofs]],
  ['revocation', '/oauth2/revoke', { token: `${sentinel}.a`, ...web }, ['token_type_hint', ...proofs]],
  ['userinfo', '/oauth2/userinfo', { access_token: `${sentinel}.a` }, []],
  [
    'logout',
    '/oauth2/logout',
    { client_id: 'demo-web' },
    ['id_token_hint', 'post_logout_redirect_uri', 'state', 'ui_locales'],
  ],
  ['a forgotten password', '/recover', { email }, ['uid', 'client_id', 'ui_locales']],
  [
    'the code of a mail',
    '/recover/code',
    { flow: 'a-flow', code: 'BCDF-BCDF', email },
    ['uid', 'client_id', 'token'],
  ],
  [
    'a new password',
    '/recover/password',
    { token: sentinel, newPassword: `${sentinel}-next` },
    ['flow', 'code'],
  ],
  ['the confirmation of a logout', '/oauth2/logout/confirm', { xsrf: 'x', logout: 'yes' }, []],
];

describe('input that is nearly right', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    process.stdout.write(`fuzz: FUZZ_SEED=${seed}\n`);
    const env = {
      GATEHOUSE_LOG_LEVEL: 'debug',
      GATEHOUSE_MAIL: 'smtp://127.0.0.1:9',
      GATEHOUSE_MAIL_FROM: 'login@example.com',
      // Gatehouse reads forwarded headers only from a trusted proxy.
      GATEHOUSE_TRUSTED_PROXIES: '127.0.0.0/8',
    };
    deployment = await startServers({ processes: 1, env });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const send = (sent: Sent) => rawHttp(deployment.origins[0] ?? '', requestBytes(sent));
  const log = () => deployment.programs[0]?.output() ?? '';

  /** Sends generated requests, some in parallel, and checks every answer. */
  async function fuzz<T>(input: fc.Arbitrary<T>, sentOf: (value: T) => Sent): Promise<void> {
    const some = fc.array(input, { minLength: 1, maxLength: atOnce });
    const property = fc.asyncProperty(some, async (values) => {
      const all = values.map(sentOf);
      const answers = await Promise.all(all.map(send));
      for (const [index, answer] of answers.entries()) checkShape(answer, all[index]?.path ?? '');
    });
    await fc.assert(property, { seed, ...bounds });
    expect(deployment.programs[0]?.hasEnded()).toBe(false);
  }

  test.each(jsonEndpoints)('JSON at $path', async ({ path, keys }) => {
    const headers = { 'Content-Type': 'application/json' };
    await fuzz(nearJson(keys, valid), (body) => ({ method: 'POST', path, headers, body }));
  });

  test.each(forms)('a form of %s', async (_what, path, good, names) => {
    const headers = /authorize|logout/.test(path) ? { Accept: 'text/html' } : {};
    await fuzz(nearForm(good, names), (body) => form(path, body, headers));
  });

  const queries = forms.filter(([, path]) => /authorize|logout$|userinfo/.test(path));
  test.each(queries)('a query of %s', async (_what, path, good, names) => {
    const headers = { Accept: 'text/html' };
    await fuzz(nearForm(good, names), (query) => ({
      path: `${path}?${printable(query)}`,
      headers,
    }));
  });

  test.each(['sign-in', 'sign-up'])('the %s form of a sign-in under way', async (step) => {
    const agent = createUserAgent(deployment);
    const page = await agent.get(createTestClient(deployment, demoApps.web).authorizationUrl());
    const csrf = hiddenField(page, 'csrf');
    const Cookie = cookieHeader(agent);
    const headers = { Accept: 'text/html', Cookie };
    const good = { csrf, email: 'nobody@example.com', password: `${sentinel}-wrong` };
    const path = `${new URL(page.url).pathname}/${step}`;
    await fuzz(nearForm(good, ['remember', 'decision']), (body) => form(path, body, headers));
  });

  const targets: [what: string, target: Sent][] = [
    ['a profile', { path: '/user/profile' }],
    ['userinfo', { path: '/oauth2/userinfo' }],
    ['an authorization request', { path: `/oauth2/authorize?${new URLSearchParams(asked)}` }],
    ['a page', { path: '/interaction/x' }],
    ['an unknown path', { path: '/nothing' }],
    ['the keys', { path: '/.well-known/jwks.json' }],
    ['a token request', form('/oauth2/token', { grant_type: 'client_credentials' })],
    ['a refresh', { method: 'POST', path: '/auth/refresh', body: '{"refreshToken":"x"}' }],
    ['a preflight', { method: 'OPTIONS', path: '/auth/login' }],
  ];
  test.each(targets)('headers of %s', async (_what, target) => {
    const headers = fc.record(headerValues, { requiredKeys: [] });
    await fuzz(headers, (values) => ({
      ...target,
      headers: { ...target.headers, ...(values as Record<string, string>) },
    }));
  });

  test('afterwards the process is ready, and the log contains no secret and no error', async () => {
    await apiLogin(deployment);
    expect((await fetch(`${deployment.opsOrigins[0]}/readyz`)).status).toBe(200);
    expect(log()).not.toContain(sentinel);
    expect(log()).not.toContain(encodeURIComponent(password));
    expect(
      log()
        .split('\n')
        .filter((line) => line.includes('"level":"error"')),
    ).toEqual([]);
  });
});

/** Escapes only the characters that a request line can't contain. */
const printable = (text: string) =>
  [...Buffer.from(text)]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');

const forPrograms = /^\/oauth2\/(token|userinfo|introspect|revoke|par)\b/;

/** Checks what all answers have in common. */
function checkShape({ status, headers, body }: RawAnswer, path: string): void {
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  expect(headers['x-content-type-options']).toEqual(['nosniff']);
  expect(body).not.toMatch(inside);
  // A redirect repeats an address that the request sent.
  if (status < 300 || status >= 400) expect(body).not.toContain(sentinel);
  if (status < 400 || body === '') return;
  const type = headers['content-type']?.join().split(';')[0];
  if (type === 'application/problem+json')
    expect(JSON.parse(body)).toMatchObject({
      status,
      code: expect.stringMatching(/^\w+$/),
      detail: expect.stringMatching(/\w+ .*\.$/),
    });
  else if (forPrograms.test(path))
    expect([type, JSON.parse(body)]).toEqual([
      'application/json',
      expect.objectContaining({ error: expect.stringMatching(/^\w+$/) }),
    ]);
  else
    expect([type, body]).toEqual([
      'text/html',
      expect.stringMatching(/<code>\w+<\/code>|<form[^>]*method="post"/),
    ]);
}
