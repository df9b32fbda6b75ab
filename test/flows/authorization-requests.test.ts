import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import {
  createTestClient,
  decodeJwt,
  type Parameters,
  pkce,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, type Page, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { appDocument, nativeDocument } from './apps.ts';

const callback = 'https://app.example.com/callback';
const redirectUris = [callback, 'https://app.example.com/other'];
const scopes = ['openid', 'contracts:read'];
const documents = [
  appDocument('exact', { redirectUris, scopes }),
  appDocument('old', { redirectUris, scopes: ['openid'], pkce: 'optional' }),
  nativeDocument,
];

describe('authorization requests, on the embedded default', () => {
  let deployment: Deployment;
  /** A browser with a session of a person who agreed to `openid` for both apps. */
  let agent: UserAgent;
  let exact: TestClient;
  let old: TestClient;
  beforeAll(async () => {
    deployment = await startEmbedded({ clients: documents });
    agent = createUserAgent(deployment);
    [exact, old] = ['exact', 'old'].map((id) =>
      createTestClient(deployment, { id, secret: `${id}-secret`, redirectUri: callback }),
    ) as [TestClient, TestClient];
    for (const client of [exact, old]) await client.authorize(agent);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const returned = ({ url }: Page) => {
    expect(url.split('?', 1)).toEqual([callback]);
    return Object.fromEntries(new URL(url).searchParams);
  };
  const ask = (parameters: Parameters) => agent.get(exact.authorizationUrl(parameters));
  const inForm = ({ html }: Page) =>
    Object.fromEntries(
      [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );

  describe('the response', () => {
    test('returns a code, the unchanged state and the issuer (RFC 9207) in the query', async () => {
      const state = `a b+c&d=é"'<%20>${'x'.repeat(500)}`;
      const answer = returned(await ask({ state }));
      expect(answer).toEqual({ code: expect.any(String), state, iss: deployment.issuer });
      expect(returned(await ask({ state: undefined }))).toEqual({
        code: expect.any(String),
        iss: deployment.issuer,
      });
    });

    test('is the same for a request by POST', async () => {
      const url = new URL(exact.authorizationUrl());
      const body = url.searchParams;
      const posted = await deployment.fetch(`${url.origin}${url.pathname}`, { method: 'POST', body });
      expect([posted.status, posted.headers.get('cache-control')]).toEqual([303, 'no-store']);
      const page = await agent.get(String(posted.headers.get('location')));
      expect(returned(page)).toEqual({ code: expect.any(String), state: 'a-state', iss: deployment.issuer });
      const asJson = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
      expect((await deployment.fetch(`${url.origin}${url.pathname}`, asJson)).status).toBe(415);
    });

    test('is a form that submits itself, with all parameters escaped', async () => {
      const page = await ask({ response_mode: 'form_post', state: '"><script>alert(1)</script>' });
      expect(page.status).toBe(200);
      expect(page.html).toContain(`action="${callback}"`);
      expect(page.html).not.toContain('<script>alert');
      const { code, iss } = inForm(page);
      expect([iss, typeof code]).toEqual([deployment.issuer, 'string']);
      expect(page.headers.get('cache-control')).toContain('no-store');
      const script = /<script>(?<text>[\s\S]*?)<\/script>/.exec(page.html)?.groups?.text ?? '';
      const hash = createHash('sha256').update(script).digest('base64');
      expect(page.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
      expect((await exact.redeem(String(code))).status).toBe(200);
    });

    test('returns errors in the same form', async () => {
      const page = await createUserAgent(deployment).get(
        exact.authorizationUrl({ response_mode: 'form_post', prompt: 'none' }),
      );
      expect(page.html).toContain(`action="${callback}"`);
      expect(page.headers.get('content-security-policy')).toMatch(/(^|; ?)frame-ancestors 'none'(;|$)/);
      expect(inForm(page)).toMatchObject({
        error: 'login_required',
        state: 'a-state',
        iss: deployment.issuer,
      });
    });
  });

  describe('an id token', () => {
    const idTokenOf = async (parameters: Parameters) => {
      const tokens = await exact.signIn(agent, parameters);
      return { ...decodeJwt(tokens.id_token), tokens };
    };

    test('has the nonce of its request, and these claims and no others', async () => {
      const { claims, header } = await idTokenOf({ nonce: 'a nonce' });
      expect(claims).toEqual({
        iss: deployment.issuer,
        sub: expect.stringMatching(/^user_/),
        aud: 'exact',
        nonce: 'a nonce',
        auth_time: expect.any(Number),
        acr: expect.stringMatching(/:PasswordProtectedTransport$/),
        amr: ['pwd'],
        iat: expect.any(Number),
        exp: Number(claims.iat) + 3600,
      });
      expect(header).toEqual({ alg: 'RS256', kid: expect.any(String) });
      expect(Object.keys((await idTokenOf({})).claims)).not.toContain('nonce');
    });

    test('has no nonce when it comes with a refresh (OpenID Connect Core §12.2)', async () => {
      const { claims, tokens } = await idTokenOf({ nonce: 'a nonce' });
      const refreshed = tokensOf(await exact.refresh(tokens.refresh_token));
      const { nonce, ...others } = claims;
      const times = { iat: expect.any(Number), exp: expect.any(Number) };
      expect(nonce).toBe('a nonce');
      expect(decodeJwt(refreshed.id_token).claims).toEqual({ ...others, ...times });
    });

    test('is issued with the scope openid only', async () => {
      expect((await exact.signIn(agent, { scope: 'contracts:read' })).id_token).toBeUndefined();
    });
  });

  describe('PKCE (RFC 7636)', () => {
    const without = { code_challenge: undefined, code_challenge_method: undefined };

    test("a code needs its verifier, and a wrong one doesn't spend it", async () => {
      const code = await exact.code(agent);
      const wrong = 'w'.repeat(43);
      for (const code_verifier of [undefined, '', wrong, pkce.challenge])
        expect(await exact.redeem(code, { code_verifier })).toMatchObject({
          status: 400,
          body: { error: 'invalid_grant' },
        });
      expect((await exact.redeem(code)).status).toBe(200);
    });

    test('only a client document makes PKCE optional, and a sent challenge still counts', async () => {
      expect((await old.redeem(await old.code(agent, without), { code_verifier: undefined })).status).toBe(
        200,
      );
      const challenged = await old.code(agent);
      expect(await old.redeem(challenged, { code_verifier: undefined })).toMatchObject({
        body: { error: 'invalid_grant' },
      });
      // A verifier for a code without a challenge means that an attacker removed the challenge (RFC 9700 §2.1.1).
      expect(await old.redeem(await old.code(agent, without))).toMatchObject({
        body: { error: 'invalid_grant' },
      });
    });

    test('a code needs the redirect URI of its request', async () => {
      const code = await exact.code(agent);
      const [, other] = redirectUris;
      for (const redirect_uri of [other, `${callback}/`])
        expect(await exact.redeem(code, { redirect_uri })).toMatchObject({
          status: 400,
          body: { error: 'invalid_grant' },
        });
      expect((await exact.redeem(code)).status).toBe(200);
    });
  });

  test('an unknown scope is not granted (OpenID Connect Core §3.1.2.1)', async () => {
    expect((await exact.signIn(agent, { scope: 'openid unheard-of' })).scope).toBe('openid');
  });

  test('a native app may use any port of this machine (RFC 8252 §7.3)', async () => {
    const app = createTestClient(deployment, {
      id: 'native',
      redirectUri: 'http://127.0.0.1:51004/callback',
    });
    expect(await app.signIn(createUserAgent(deployment))).toMatchObject({ scope: 'openid' });
  });

  test('a person without a session is asked for a password before the app gets any answer', async () => {
    const stranger = createUserAgent(deployment);
    const page = await stranger.get(exact.authorizationUrl());
    expect(page.html).toContain('name="password"');
    const url = await signInAndAgree(stranger, page, demo);
    expect(url.startsWith(`${callback}?code=`)).toBe(true);
  });
});
