import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { callJsonApi, getUserinfo } from '../support/json-api.ts';
import { bearer, createTestClient, type JsonAnswer } from '../support/test-client.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, changeClient, createApp } from './apps.ts';
import { beginAt, deviceFlow, enterCode } from './devices.ts';

const origin = 'https://spa.example';
const clients = [
  appDocument('app', {
    grants: ['authorization_code', 'refresh_token', 'client_credentials', 'device_code'],
  }),
  appDocument('spa', {
    firstParty: true,
    auth: 'none',
    origins: [origin],
    grants: ['authorization_code', 'refresh_token', 'password'],
  }),
];

/** Gatehouse reads the file every two seconds, and uses it when two reads agree. */
const patience = { timeoutMs: 30_000, intervalMs: 100 };

describe('a client that its document disables', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ clients, processes: 1, env: deviceFlow });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const codeOn = ({ html }: Page) => /<dd><code>(?<code>\w+)/.exec(html)?.groups?.code;
  const refusal = ({ status, body }: JsonAnswer) => [status, body.error ?? body.code];
  const standingOf = async (token: string) => (await getUserinfo(deployment, token)).status;

  test('is refused everywhere with a reason, and works again when it is enabled again', async () => {
    const app = createApp(deployment, 'app');
    const spa = createTestClient(deployment, {
      id: 'spa',
      redirectUri: 'http://localhost:8080/spa/callback',
    });
    const agent = createUserAgent(deployment);
    const tokens = await app.signIn(agent, { scope: allScopes });
    const { email, password } = demo;
    const login = { email, password, clientId: 'spa' };
    const first = await callJsonApi(deployment, '/auth/login', login);
    const { device_code, user_code } = await beginAt(app);
    const visitor = createUserAgent(deployment);
    const waiting = await visitor.get(app.authorizationUrl());
    const code = await app.code(agent, { scope: allScopes });
    expect(await standingOf(tokens.access_token)).toBe(200);

    await changeClient(deployment, 'app', { enabled: false });
    await changeClient(deployment, 'spa', { enabled: false });
    const disabled = async () => (await callJsonApi(deployment, '/auth/login', login)).status === 403;
    await waitFor(disabled, patience);

    // Endpoints where the client authenticates.
    const confidential = [
      app.redeem(code),
      app.refresh(tokens.refresh_token),
      app.clientCredentials(),
      app.post('device', { scope: 'openid' }),
      app.post('par', Object.fromEntries(new URL(app.authorizationUrl()).searchParams)),
      app.post('introspect', { token: tokens.access_token }),
      app.post('revoke', { token: tokens.access_token }),
      app.post('token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code }),
    ];
    for (const answer of await Promise.all(confidential)) {
      expect(refusal(answer)).toEqual([401, 'invalid_client']);
      expect(answer.body.error_description).toBe('this client is disabled: its document says enabled: false');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
    }
    expect(refusal(await spa.passwordGrant())).toEqual([400, 'invalid_client']);

    // The JSON API.
    const refresh = { refreshToken: first.body.refreshToken, clientId: 'spa' };
    for (const answer of [
      await callJsonApi(deployment, '/auth/login', login),
      await callJsonApi(deployment, '/auth/refresh', refresh),
      await callJsonApi(deployment, '/auth/logout', refresh),
    ])
      expect(refusal(answer)).toEqual([403, 'client_disabled']);

    // Its access tokens, and its origin.
    for (const token of [tokens.access_token, String(first.body.accessToken)]) {
      expect(await standingOf(token)).toBe(401);
      const verify = await deployment.fetch(`${deployment.issuer}/auth/verify`, { headers: bearer(token) });
      expect(verify.status).toBe(401);
    }
    const { headers } = await deployment.fetch(`${deployment.issuer}/auth/login`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(headers.get('access-control-allow-origin')).toBeNull();

    // Pages: a new sign-in, one that was under way, and a device's code.
    const begun = await createUserAgent(deployment).get(app.authorizationUrl());
    const reloaded = await visitor.get(waiting.url);
    const goneOn = await visitor.submit(waiting, { email, password });
    for (const page of [begun, reloaded, goneOn]) {
      expect(codeOn(page)).toBe('client_disabled');
      expect(page.html).toContain('app can’t be used for now');
    }
    expect((await enterCode(deployment, createUserAgent(deployment), user_code)).html).toContain(
      'client_disabled',
    );
    const account = await agent.get(`${deployment.issuer}/account`);
    expect(account.html).toContain('Withdraw access of app');

    await changeClient(deployment, 'app', { enabled: true });
    // What it was issued before has ended.
    await waitFor(async () => (await app.clientCredentials()).status === 200, patience);
    expect(refusal(await app.refresh(tokens.refresh_token))).toEqual([400, 'invalid_grant']);
    expect((await app.authorize(agent, { scope: allScopes, prompt: 'none' })).get('code')).toEqual(
      expect.any(String),
    );
  }, 150_000);
});
