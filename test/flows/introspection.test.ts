import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { createDpopKey } from '../support/dpop.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { apiLogin, comparable } from '../support/json-api.ts';
import { decodeJwt, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, changeClient, createApp } from './apps.ts';

const basicOf = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});
const web = basicOf('web', 'web-secret');
const api = basicOf('the-api', 'the-api-secret');

let deployment: InProcess;
let app: TestClient;
let tokens: Record<string, string>;
beforeAll(async () => {
  deployment = await startInProcess([
    appDocument('web'),
    appDocument('first', { firstParty: true }),
    appDocument('machine', { grants: ['client_credentials'], scopes: ['contracts:read'] }),
  ]);
  app = createApp(deployment, 'web');
  const nothing = { grants: [], scopes: [], redirectUris: [], postLogoutRedirectUris: [] };
  await changeClient(deployment, 'the-api', { ...nothing, introspects: [deployment.audience] });
  await waitFor(async () => (await introspect('token=x', api)).status === 200);
  const agent = createUserAgent(deployment);
  const person = await app.signIn(agent, { scope: `${allScopes} offline_access`, prompt: 'consent' });
  const [machine, key] = [createApp(deployment, 'machine'), await createDpopKey()];
  const proof = await key.header('POST', `${deployment.issuer}/oauth2/token`);
  const code = await app.code(agent, { scope: allScopes });
  const revoked = (await app.signIn(agent, { scope: allScopes })).access_token;
  await app.post('revoke', { token: revoked });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { claims, header } = decodeJwt(person.access_token) as unknown as {
    claims: Record<string, unknown>;
    header: { alg: string };
  };
  tokens = {
    'of a person': person.access_token,
    'for userinfo alone': (await app.signIn(agent, { scope: 'openid email' })).access_token,
    'of a first-party client': (await apiLogin(deployment)).accessToken,
    'of another machine': tokensOf(await machine.clientCredentials()).access_token,
    'bound to a key': tokensOf(await app.redeem(code, {}, proof)).access_token,
    revoked,
    'with a foreign signature': await new SignJWT(claims).setProtectedHeader(header).sign(privateKey),
    'that is an id token': String(person.id_token),
    'that is a refresh token': String(person.refresh_token),
    'that is no token': 'nonsense',
    'that only looks like a JWT': 'a.b.c',
    'that is empty': '',
  };
}, 120_000);
afterAll(() => deployment?.stop());

const introspect = (form: string, headers: Record<string, string>) =>
  deployment.fetch(`${deployment.issuer}/oauth2/introspect`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: form,
  });

/** Sends the request as it is, and once with a parameter that only the library ignores. Both answers must be the same. */
async function sameAnswer(fields: Record<string, string>, headers: Record<string, string> = {}) {
  const form = new URLSearchParams(fields);
  const plain = await comparable(await introspect(form.toString(), headers));
  form.append('unknown', 'x');
  expect(plain).toEqual(await comparable(await introspect(form.toString(), headers)));
  const { status, text } = plain as { status: number; text: string };
  return { status, body: JSON.parse(text) as Record<string, unknown> };
}

const kinds = [
  ...['of a person', 'for userinfo alone', 'of a first-party client', 'of another machine', 'bound to a key'],
  ...['revoked', 'with a foreign signature', 'that is an id token', 'that is a refresh token'],
  ...['that is no token', 'that only looks like a JWT', 'that is empty'],
];

describe('an answer without the library is the same as the library’s', () => {
  test.each(kinds)('about a token %s', async (kind) => {
    const token = tokens[kind] ?? '';
    for (const headers of [
      web,
      api,
      basicOf('first', 'first-secret'),
      basicOf('machine', 'machine-secret'),
    ]) {
      await sameAnswer({ token }, headers);
      await sameAnswer({ token, token_type_hint: 'refresh_token' }, headers);
    }
  });

  test('it names the account, the client and the scopes', async () => {
    const token = tokens['of a person'] ?? '';
    const { claims } = decodeJwt(token);
    const { status, body } = await sameAnswer({ token }, web);
    const { sub, client_id, aud, scope, exp, iat, jti, iss, family, permissions } = claims;
    const shown = { sub, client_id, aud, scope, exp, iat, jti, iss, family, permissions };
    expect([status, body]).toEqual([200, expect.objectContaining({ active: true, ...shown })]);
    expect((await sameAnswer({ token }, api)).body.active).toBe(true);
    expect((await sameAnswer({ token }, basicOf('first', 'first-secret'))).body).toEqual({ active: false });
    const bound = (await sameAnswer({ token: tokens['bound to a key'] ?? '' }, web)).body;
    expect(bound).toMatchObject({ token_type: 'DPoP', cnf: { jkt: expect.any(String) } });
  });

  const token = () => tokens['of a person'] ?? '';
  const inForm = { client_id: 'web', client_secret: 'web-secret' };
  test.each<[string, () => Record<string, string>, Record<string, string>, number]>([
    ['a secret in the form', () => ({ token: token(), ...inForm }), {}, 200],
    ['the same client id in both places', () => ({ token: token(), client_id: 'web' }), web, 200],
    ['a wrong secret', () => ({ token: token() }), basicOf('web', 'wrong'), 401],
    [
      'a wrong secret in the form',
      () => ({ token: token(), client_id: 'web', client_secret: 'wrong' }),
      {},
      401,
    ],
    ['an unknown client', () => ({ token: token() }), basicOf('nobody', 'secret'), 401],
    ['no client', () => ({ token: token() }), {}, 400],
    ['a client without its secret', () => ({ token: token(), client_id: 'web' }), {}, 401],
    ['two ways to authenticate', () => ({ token: token(), ...inForm }), web, 400],
    ['two client ids', () => ({ token: token(), client_id: 'first' }), web, 400],
    ['no token', () => ({}), web, 400],
    ['another scheme', () => ({ token: token() }), { authorization: 'Bearer x' }, 400],
    ['Basic with text that is not base64', () => ({ token: token() }), { authorization: 'Basic %%%' }, 400],
    ['an origin of a browser', () => ({ token: token() }), { ...web, origin: 'https://app.example' }, 400],
  ])('with %s', async (_, fields, headers, expected) => {
    const { status } = await sameAnswer(fields(), headers);
    expect(status).toBe(expected);
  });

  test('with a parameter that is sent twice', async () => {
    const twice = `token=${token()}&token=${token()}`;
    const [one, other] = [await introspect(twice, web), await introspect(`${twice}&unknown=x`, web)];
    expect(await comparable(one)).toEqual(await comparable(other));
    expect(one.status).toBe(400);
  });

  test('a wrong secret is counted once', async () => {
    const guess = () => introspect(`token=${token()}`, basicOf('machine', 'a guess'));
    let guesses = 0;
    while ((await guess()).status === 401 && guesses < 100) guesses += 1;
    deployment.advance(3600);
    const other = () => introspect(`token=${token()}&unknown=x`, basicOf('machine', 'a guess'));
    let others = 0;
    while ((await other()).status === 401 && others < 100) others += 1;
    expect(guesses).toBe(others);
    await sameAnswer({ token: token() }, basicOf('machine', 'machine-secret'));
  });

  test('after the token expired', async () => {
    deployment.advance(3600);
    expect((await sameAnswer({ token: token() }, web)).body).toEqual({ active: false });
  });
});
