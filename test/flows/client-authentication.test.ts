import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type Deployment, startServers } from '../support/deployment.ts';
import { createTestClient, demoApps, type JsonAnswer, jsonAnswer, pkce } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';
import { deviceFlow } from './devices.ts';

const { publicKey, privateKey } = await generateKeyPair('ES256');
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
const byKey = (id: string, changes: object = {}) => {
  const { secrets: _, ...document } = appDocument(id, { scopes: ['openid', 'contracts:read'] });
  const grants = ['client_credentials', 'authorization_code'];
  return { ...document, auth: 'private_key_jwt', jwks, grants, ...changes };
};

const clients = [
  byKey('keyed'),
  byKey('old-library', { assertionAudience: 'token_endpoint' }),
  appDocument('machine', { grants: ['client_credentials'], scopes: ['contracts:read'] }),
  appDocument('web'),
  appDocument('screen', { grants: ['device_code'], scopes: ['openid'] }),
];

const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';

const refusal = ({ status, body }: JsonAnswer) => [status, body.error];

describe('how clients authenticate', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ clients, processes: 1, env: deviceFlow });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const tokenUrl = () => `${deployment.issuer}/oauth2/token`;
  const now = () => Math.floor(Date.now() / 1000);

  /** Sends an assertion with these claims and this header; an undefined one is left out. */
  async function present(
    claims: JWTPayload,
    { header = {}, id = 'keyed', path = 'token' }: { header?: object; id?: string; path?: string } = {},
  ) {
    const payload = { iss: id, sub: id, jti: randomUUID(), exp: now() + 60, ...claims };
    const assertion = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
      .sign(privateKey);
    const forms: Record<string, Record<string, string>> = {
      token: { grant_type: 'client_credentials' },
      introspect: { token: 'any' },
      revoke: { token: 'any' },
      par: Object.fromEntries(new URL(createApp(deployment, id).authorizationUrl()).searchParams),
    };
    return createTestClient(deployment, { id }).post(path, {
      ...forms[path],
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
  }

  describe('the assertion of private_key_jwt', () => {
    test.each(['token', 'introspect', 'revoke', 'par'])(
      'has the issuer as its audience at %s, not the URL of the endpoint',
      async (path) => {
        expect((await present({ aud: deployment.issuer }, { path })).status).toBeLessThan(300);
        const answer = await present({ aud: `${deployment.issuer}/oauth2/${path}` }, { path });
        expect(refusal(answer)).toEqual([401, 'invalid_client']);
        expect(answer.body.error_description).toBe(
          `aud of the client assertion must be ${deployment.issuer} alone, as a string`,
        );
      },
    );

    test.each([
      ['a second one', (issuer: string) => [issuer, 'https://other.example']],
      ['a list', (issuer: string) => [issuer]],
      ['another server', () => 'https://other.example'],
      ['the issuer with a slash', (issuer: string) => `${issuer}/`],
    ])('with %s as audience is refused', async (_, aud) => {
      for (const id of ['keyed', 'old-library'])
        expect(refusal(await present({ aud: aud(deployment.issuer) }, { id }))).toEqual([
          401,
          'invalid_client',
        ]);
    });

    test("may have the token endpoint's URL where the client's document says so", async () => {
      const id = 'old-library';
      expect((await present({ aud: tokenUrl() }, { id })).status).toBe(200);
      expect((await present({ aud: deployment.issuer }, { id })).status).toBe(200);
      expect((await present({ aud: tokenUrl() }, { id, path: 'par' })).status).toBe(201);
      const aud = `${deployment.issuer}/oauth2/par`;
      expect(refusal(await present({ aud }, { id, path: 'par' }))).toEqual([401, 'invalid_client']);
    });

    test('expires within ten minutes', async () => {
      const aud = () => deployment.issuer;
      expect((await present({ aud: aud(), exp: now() + 600 })).status).toBe(200);
      for (const seconds of [700, 3600, 10 * 365 * 86_400]) {
        const answer = await present({ aud: aud(), exp: now() + seconds });
        expect(refusal(answer)).toEqual([401, 'invalid_client']);
        expect(answer.body.error_description).toMatch(/exp .* at most 600 seconds ahead/);
      }
      expect(refusal(await present({ aud: aud(), exp: now() - 60 }))).toEqual([401, 'invalid_client']);
    });

    test.each([
      undefined,
      'JWT',
      'jwt',
      'client-authentication+jwt',
      'application/client-authentication+jwt',
    ])('may have the typ %s', async (typ) => {
      expect((await present({ aud: deployment.issuer }, { header: { typ } })).status).toBe(200);
    });

    test.each(['dpop+jwt', 'at+jwt', 'oauth-authz-req+jwt', ''])('may not have the typ %j', async (typ) => {
      const answer = await present({ aud: deployment.issuer }, { header: { typ } });
      expect(refusal(answer)).toEqual([401, 'invalid_client']);
      expect(answer.body.error_description).toMatch(/^typ /);
    });
  });

  describe('a Basic header with an empty secret', () => {
    const basic = (id: string) => ({ authorization: `Basic ${Buffer.from(`${id}:`).toString('base64')}` });
    const post = async (path: string, id: string, form: Record<string, string>) => {
      const url = `${deployment.issuer}/oauth2/${path}`;
      const body = new URLSearchParams(form);
      return jsonAnswer(await deployment.fetch(url, { method: 'POST', body, headers: basic(id) }));
    };
    const { id, redirectUri } = demoApps.spa;

    test('is as good as none for a public client', async () => {
      const spa = createTestClient(deployment, demoApps.spa);
      for (const named of [{}, { client_id: id }]) {
        const code = (await spa.authorize(createUserAgent(deployment))).get('code') ?? '';
        const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
        const answer = await post('token', id, { ...form, code_verifier: pkce.verifier, ...named });
        expect(answer.status).toBe(200);
        const token = String(answer.body.refresh_token);
        expect((await post('revoke', id, { token, ...named })).status).toBe(200);
        expect(refusal(await spa.refresh(token))).toEqual([400, 'invalid_grant']);
      }
    });

    test('and so is an empty one in the body', async () => {
      const spa = createTestClient(deployment, demoApps.spa);
      const code = (await spa.authorize(createUserAgent(deployment))).get('code') ?? '';
      expect((await spa.redeem(code, { client_secret: '' })).status).toBe(200);
      expect(refusal(await spa.redeem(code, { client_secret: 'any' }))).toEqual([401, 'invalid_client']);
    });

    test('is no authentication for others, and names one client', async () => {
      const machine = { grant_type: 'client_credentials' };
      expect(refusal(await post('token', 'machine', machine))).toEqual([400, 'invalid_request']);
      expect(refusal(await post('token', 'unknown', machine))).toEqual([400, 'invalid_request']);
      expect(refusal(await post('token', id, { ...machine, client_id: 'machine' }))).toEqual([
        400,
        'invalid_request',
      ]);
    });
  });

  describe('a confidential client must prove itself', () => {
    const redirect_uri = 'http://localhost:8080/web/callback';
    const pushed = {
      client_id: 'web',
      response_type: 'code',
      scope: 'openid',
      redirect_uri,
      code_challenge: pkce.challenge,
      code_challenge_method: 'S256',
    };
    const forms: [path: string, form: Record<string, string>, status: number, id?: string][] = [
      ['token', { grant_type: 'client_credentials' }, 200],
      ['token', { grant_type: 'authorization_code', code: 'any', redirect_uri }, 400, 'web'],
      ['token', { grant_type: 'refresh_token', refresh_token: 'any' }, 400, 'web'],
      ['token', { grant_type: deviceCodeGrant, device_code: 'any' }, 400, 'screen'],
      ['introspect', { token: 'any' }, 200],
      ['revoke', { token: 'any' }, 200],
      ['par', pushed, 201, 'web'],
      ['device', { scope: 'openid' }, 200, 'screen'],
    ];
    test.each(forms)('at %s, for %j', async (path, form, status, id = 'machine') => {
      const own = createApp(deployment, id);
      expect((await own.post(path, form)).status).toBe(status);
      for (const secret of ['another-secret', '', 'public'])
        expect([secret, refusal(await createApp(deployment, id, secret).post(path, form))]).toEqual([
          secret,
          [401, 'invalid_client'],
        ]);
      // Without any client, there is nothing to authenticate.
      const answer = await deployment.fetch(`${deployment.issuer}/oauth2/${path}`, {
        method: 'POST',
        body: new URLSearchParams(form),
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
    });
  });

  describe('a grant that the client may not use is unauthorized_client (RFC 6749 §5.2)', () => {
    test.each([
      ['authorization_code', { code: 'any', redirect_uri: 'http://localhost:8080/machine/callback' }],
      ['refresh_token', { refresh_token: 'any' }],
      ['password', { username: 'john@example.com', password: 'any' }],
      ['urn:ietf:params:oauth:grant-type:device_code', { device_code: 'any' }],
    ])('%s at the token endpoint', async (grant_type, form) => {
      const answer = await createApp(deployment, 'machine').post('token', { grant_type, ...form });
      expect(refusal(answer)).toEqual([400, 'unauthorized_client']);
      expect(answer.body.error_description).toContain(grant_type);
    });

    test('client_credentials of an app for people', async () => {
      const web = createTestClient(deployment, demoApps.web);
      const answer = await web.post('token', { grant_type: 'client_credentials' });
      expect(refusal(answer)).toEqual([400, 'unauthorized_client']);
    });

    test('at the device authorization endpoint (RFC 8628 §3.2)', async () => {
      const web = createTestClient(deployment, demoApps.web);
      expect(refusal(await web.post('device', { scope: 'openid' }))).toEqual([400, 'unauthorized_client']);
    });

    test('a grant that nobody has stays unsupported_grant_type', async () => {
      const web = createTestClient(deployment, demoApps.web);
      const answer = await web.post('token', { grant_type: 'implicit' });
      expect(refusal(answer)).toEqual([400, 'unsupported_grant_type']);
    });
  });
});
