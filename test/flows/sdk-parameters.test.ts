import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoAccessModel } from '../../provider/bin/demo.ts';
import type { AccessModel } from '../../provider/config/access-model.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { decodeJwt, type Parameters, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';
import { approve, beginAt, deviceFlow, pollFor } from './devices.ts';

const billing = 'https://billing.example';
const bothScopes = 'openid contracts:read invoices:read';

function twoApis(audience: string): AccessModel {
  const model = demoAccessModel(audience);
  const invoices = { name: 'invoices:read', description: 'Read your invoices', permission: 'invoices:read' };
  return {
    apis: [...model.apis, { audience: billing, name: 'Billing', scopes: [invoices] }],
    roles: { CLIENT: ['contracts:read', 'invoices:read'] },
    claims: [],
  };
}

const clients = [
  appDocument('app', {
    scopes: ['openid', 'contracts:read', 'invoices:read'],
    grants: ['authorization_code', 'refresh_token', 'device_code'],
  }),
  appDocument('quiet', { scopes: ['openid', 'contracts:read'] }),
  appDocument('own', {
    firstParty: true,
    grants: ['password', 'refresh_token'],
    redirectUris: [],
    postLogoutRedirectUris: [],
    scopes: ['openid', 'contracts:read', 'invoices:read'],
  }),
  appDocument('robot', {
    redirectUris: [],
    postLogoutRedirectUris: [],
    grants: ['client_credentials'],
    scopes: ['contracts:read', 'invoices:read'],
  }),
  appDocument('spa', { auth: 'none', scopes: ['openid'] }),
];

let deployment: Deployment;
beforeAll(async () => {
  const env = Object.assign({}, deviceFlow, { GATEHOUSE_REGISTRATION: 'open' });
  deployment = await startServers({ clients, accessModel: twoApis, processes: 1, env });
}, 120_000);
afterAll(() => deployment?.stop());

const audienceOf = (token: unknown) => decodeJwt(String(token)).claims.aud;
const signIn = (app: TestClient, parameters: Parameters) =>
  app.signIn(createUserAgent(deployment), parameters);

interface LogLine {
  msg: string;
  clientId?: string;
  parameter?: string;
  instead?: string;
}

const ignoredOf = (id: string) =>
  deployment.programs
    .flatMap((program) => program.stdout().split('\n'))
    .filter((line) => line.includes('"parameter ignored"'))
    .map((line) => JSON.parse(line) as LogLine)
    .filter(({ clientId }) => clientId === id);

describe('audience, as the SDKs of Auth0 send it, means resource (RFC 8707)', () => {
  test('at the authorization endpoint, for the API that it names', async () => {
    const app = createApp(deployment, 'app');
    const tokens = await signIn(app, { scope: bothScopes, audience: billing });
    expect(decodeJwt(tokens.access_token).claims).toMatchObject({
      aud: billing,
      scope: 'openid invoices:read',
    });
    expect(audienceOf(tokensOf(await app.refresh(tokens.refresh_token)).access_token)).toBe(billing);
  });

  test('in a pushed request (RFC 9126) and in a request of a device (RFC 8628)', async () => {
    const app = createApp(deployment, 'app');
    const url = app.authorizationUrl({ scope: bothScopes, audience: billing });
    const { body } = await app.post('par', Object.fromEntries(new URL(url).searchParams));
    const pushed = { request_uri: String(body.request_uri) };
    const nothing = Object.fromEntries(
      [...new URL(url).searchParams.keys()].map((name) => [name, undefined]),
    );
    const parameters = Object.assign(nothing, { client_id: app.id }, pushed);
    expect(audienceOf((await signIn(app, parameters)).access_token)).toBe(billing);

    const { device_code, user_code } = await beginAt(app, bothScopes, { audience: billing });
    await approve(deployment, createUserAgent(deployment), user_code, demo);
    expect(audienceOf((await pollFor(app, device_code)).body.access_token)).toBe(billing);
  });

  test('at the token endpoint, for client credentials and for a password', async () => {
    const robot = createApp(deployment, 'robot');
    const own = createApp(deployment, 'own');
    const machine = tokensOf(await robot.clientCredentials({ audience: billing, scope: 'invoices:read' }));
    expect(audienceOf(machine.access_token)).toBe(billing);
    const person = tokensOf(await own.passwordGrant({ audience: billing, scope: bothScopes }));
    expect(audienceOf(person.access_token)).toBe(billing);
  });

  test.each([
    ['a resource is given too', { scope: bothScopes, resource: billing, audience: 'API' }, billing],
    ['the API is unknown', { scope: 'openid contracts:read', audience: 'https://elsewhere.example' }, 'API'],
    ['it is no URL', { scope: 'openid contracts:read', audience: 'contracts' }, 'API'],
    ['the request has no scope of the API', { scope: 'openid', audience: billing }, 'ISSUER'],
    ['it is empty', { scope: 'openid contracts:read', audience: '' }, 'API'],
  ])('but it is ignored when %s', async (_, { audience, ...parameters }, expected) => {
    const real = (name: string) =>
      name === 'API' ? deployment.audience : name === 'ISSUER' ? deployment.issuer : name;
    const app = createApp(deployment, 'app');
    const tokens = await signIn(app, Object.assign({}, parameters, { audience: real(audience) }));
    expect(audienceOf(tokens.access_token)).toBe(real(expected));
  });

  test('but not for an API that the client may not use', async () => {
    const quiet = createApp(deployment, 'quiet');
    const tokens = await signIn(quiet, { scope: 'openid contracts:read', audience: billing });
    expect(audienceOf(tokens.access_token)).toBe(deployment.audience);
  });
});

describe('a parameter that Gatehouse does not have, but an app depends on', () => {
  test('is logged once for each client, with what to do, and without its value', async () => {
    const id = 'spa';
    const app = createApp(deployment, id, 'public');
    const foreign = {
      audience: 'https://secret-value.example',
      access_type: 'offline',
      organization: 'org_secret-value',
      screen_hint: 'signup',
    };
    for (const _ of [1, 2]) await signIn(app, foreign);
    const lines = ignoredOf(id);
    expect(lines.map(({ parameter }) => parameter).sort()).toEqual(Object.keys(foreign).sort());
    for (const { instead } of lines) expect(instead).toMatch(/\w/);
    expect(JSON.stringify(lines)).not.toContain('secret-value');
    expect(lines.find(({ parameter }) => parameter === 'access_type')?.instead).toContain('offline_access');
  });

  test('is logged for client credentials too', async () => {
    await createApp(deployment, 'robot').clientCredentials({
      audience: 'https://elsewhere.example',
      scope: 'contracts:read',
    });
    expect(ignoredOf('robot')).toMatchObject([{ parameter: 'audience' }]);
  });

  test('is not logged with a value that changes nothing, and neither is an audience that was used', async () => {
    const app = createApp(deployment, 'quiet');
    const { issuer, audience } = deployment;
    const before = ignoredOf('quiet').length;
    await signIn(app, { scope: 'openid contracts:read', audience, access_type: 'online', screen_hint: 'x' });
    expect(issuer).not.toBe(audience);
    expect(ignoredOf('quiet')).toHaveLength(before);
  });
});

describe('a request without PKCE gets an error that says how to go on', () => {
  const noChallenge = { code_challenge: undefined, code_challenge_method: undefined };
  const errorOf = async (url: string) => {
    const { url: back } = await createUserAgent(deployment).get(url);
    const returned = new URL(back).searchParams;
    expect(returned.get('error')).toBe('invalid_request');
    // RFC 6749 §4.1.2.1 allows no other characters.
    expect(returned.get('error_description')).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    return returned.get('error_description');
  };
  const page = 'docs/connect/README.md#pkce';

  test('a client with a secret: the library, the field of the client document, and the page', async () => {
    const description = await errorOf(createApp(deployment, 'app').authorizationUrl(noChallenge));
    expect(description).toBe(
      `code_challenge is missing: switch on PKCE (S256) in the library of the app. If its library has no PKCE, set pkce: optional in the client document of app. See ${page}`,
    );
  });

  test('a public client, which must use PKCE: the library and the page', async () => {
    const description = await errorOf(createApp(deployment, 'spa', 'public').authorizationUrl(noChallenge));
    expect(description).toBe(
      `code_challenge is missing: switch on PKCE (S256) in the library of the app. See ${page}`,
    );
  });

  test('a client that registered itself, which has no document: the library and the page', async () => {
    const redirectUri = 'https://registered.example/callback';
    const answer = await deployment.fetch(`${deployment.issuer}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri] }),
    });
    const { client_id } = (await answer.json()) as { client_id: string };
    const url = new URL(createApp(deployment, 'app').authorizationUrl(noChallenge));
    url.searchParams.set('client_id', client_id);
    url.searchParams.set('redirect_uri', redirectUri);
    expect(await errorOf(url.href)).not.toContain('client document');
  });

  test('the page has that section', () => {
    expect(readFileSync('docs/connect/README.md', 'utf8')).toMatch(/^#+ PKCE$/m);
  });
});
