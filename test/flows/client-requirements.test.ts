import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { createDpopKey, type DpopKey } from '../support/dpop.ts';
import { postJson } from '../support/json-api.ts';
import {
  createTestClient,
  decodeJwt,
  type JsonAnswer,
  jsonAnswer,
  pkce,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp } from './apps.ts';
import { approve, beginAt, deviceFlow, pollFor } from './devices.ts';

const bound = { dpopBoundAccessTokens: true };
const every = ['authorization_code', 'refresh_token', 'device_code', 'client_credentials'];

const clients = [
  appDocument('pushes', {
    scopes: ['openid', 'email', 'profile', 'contracts:read'],
    requirePushedAuthorizationRequests: true,
    grants: ['authorization_code', 'device_code'],
  }),
  appDocument('bound', { ...bound, grants: every }),
  appDocument('own-bound', {
    ...bound,
    firstParty: true,
    auth: 'none',
    grants: ['authorization_code', 'refresh_token', 'password'],
  }),
];

describe('what the document of a client requires', () => {
  let deployment: Deployment;
  let key: DpopKey;
  beforeAll(async () => {
    deployment = await startServers({ clients, processes: 1, env: deviceFlow });
    key = await createDpopKey();
  }, 120_000);
  afterAll(() => deployment?.stop());

  describe('requirePushedAuthorizationRequests (RFC 9126 §6)', () => {
    test('refuses an authorization request that was not pushed, and tells the app', async () => {
      const { url } = await createUserAgent(deployment).get(
        createApp(deployment, 'pushes').authorizationUrl(),
      );
      const returned = new URL(url).searchParams;
      expect(url.startsWith('http://localhost:8080/pushes/callback?')).toBe(true);
      expect(returned.get('error')).toBe('invalid_request');
      expect(returned.get('error_description')).toBe('Pushed Authorization Request must be used');
    });

    test('accepts a pushed request, and does not apply to the device flow', async () => {
      const app = createApp(deployment, 'pushes');
      const form = Object.fromEntries(new URL(app.authorizationUrl({ scope: allScopes })).searchParams);
      const { status, body } = await app.post('par', form);
      expect(status).toBe(201);
      const query = new URLSearchParams({ client_id: app.id, request_uri: String(body.request_uri) });
      const page = await createUserAgent(deployment).get(`${deployment.issuer}/oauth2/authorize?${query}`);
      expect(page.html).toContain('name="password"');
      expect((await beginAt(app)).user_code).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
    });
  });

  describe('dpopBoundAccessTokens (RFC 9449 §5.2)', () => {
    const at = (path: string) => `${deployment.issuer}${path}`;
    const proof = () => key.header('POST', at('/oauth2/token'));
    const refusal = ({ status, body }: JsonAnswer) => [status, body.error ?? body.code];
    const refused = [400, 'invalid_dpop_proof'];
    const boundTo = (token: unknown) =>
      (decodeJwt(String(token)).claims.cnf as { jkt: string } | undefined)?.jkt;
    /** Sends a token request without a proof and then with one. The first must not spend anything. */
    const inTurn = async (send: (headers: Record<string, string>) => Promise<JsonAnswer>) => {
      const without = await send({});
      expect(refusal(without)).toEqual(refused);
      expect(without.body.error_description).toMatch(/must send a DPoP proof .* dpopBoundAccessTokens: true/);
      const tokens = tokensOf(await send(await proof()));
      expect(tokens.token_type).toBe('DPoP');
      expect(boundTo(tokens.access_token)).toBe(key.thumbprint);
      return tokens;
    };

    test('refuses a code and its refresh token without a proof, and spends neither', async () => {
      const app = createApp(deployment, 'bound');
      const code = await app.code(createUserAgent(deployment), { scope: allScopes });
      const tokens = await inTurn((headers) => app.redeem(code, {}, headers));
      const parameters = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
      await inTurn((headers) => app.post('token', parameters, headers));
    });

    test('refuses client credentials without a proof', async () => {
      const app = createApp(deployment, 'bound');
      await inTurn((headers) => app.clientCredentials({ scope: 'contracts:read' }, headers));
    });

    test('refuses a device code without a proof, and the device can go on', async () => {
      const app = createApp(deployment, 'bound');
      const { device_code, user_code } = await beginAt(app);
      expect(refusal(await pollFor(app, device_code))).toEqual(refused);
      await approve(deployment, createUserAgent(deployment), user_code, demo);
      const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
      await inTurn((headers) => app.post('token', { grant_type, device_code }, headers));
    });

    test('refuses a password at the token endpoint, before it is checked', async () => {
      const app = createTestClient(deployment, { id: 'own-bound' });
      await inTurn((headers) => app.passwordGrant({}, headers));
      expect(refusal(await app.passwordGrant({ password: 'wrong' }))).toEqual(refused);
    });

    test('refuses /auth/login and /auth/refresh', async () => {
      const { email, password } = demo;
      const send = async (path: string, body: object, headers: Record<string, string> = {}) =>
        jsonAnswer(await postJson(deployment, path, { clientId: 'own-bound', ...body }, headers));
      const login = { email, password };
      const without = await send('/auth/login', login);
      expect(refusal(without)).toEqual(refused);
      expect(without.body.detail).toMatch(/^A DPoP proof is missing or not valid for this request/);
      const tokens = await send('/auth/login', login, await key.header('POST', at('/auth/login')));
      expect(boundTo(tokens.body.accessToken)).toBe(key.thumbprint);
      const { refreshToken } = tokens.body;
      expect(refusal(await send('/auth/refresh', { refreshToken }))).toEqual(refused);
      const again = await send(
        '/auth/refresh',
        { refreshToken },
        await key.header('POST', at('/auth/refresh')),
      );
      expect(again.status).toBe(200);
    });

    test('applies to the code of a public client too', async () => {
      const app = createTestClient(deployment, {
        id: 'own-bound',
        redirectUri: 'http://localhost:8080/own-bound/callback',
      });
      const code = await app.code(createUserAgent(deployment), { code_challenge: pkce.challenge });
      await inTurn((headers) => app.redeem(code, {}, headers));
    });
  });
});
