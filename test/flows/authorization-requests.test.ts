import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type Parameters,
  pkce,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, type Page, signInAndAgree, type UserAgent } from '../support/user-agent.ts';

const callback = 'https://app.example.com/callback';
const redirectUris = [callback, 'https://app.example.com/other'];
const secrets = [{ sha256: createHash('sha256').update('secret').digest('hex') }];
const documents = [
  { id: 'exact', name: 'Exact', secrets, redirectUris, scopes: ['openid', 'contracts:read'] },
  { id: 'old', name: 'Old', secrets, redirectUris, scopes: ['openid'], pkce: 'optional' },
  {
    id: 'native',
    name: 'Native',
    auth: 'none',
    applicationType: 'native',
    redirectUris: ['http://127.0.0.1/callback'],
    scopes: ['openid'],
  },
];

describe('authorization requests, on the embedded default', () => {
  let deployment: Deployment;
  /** A browser in which a person is signed in who agreed to `openid` for `exact`, `old` and `demo-web`. */
  let agent: UserAgent;
  let exact: TestClient;
  let old: TestClient;
  let web: TestClient;
  beforeAll(async () => {
    deployment = await startEmbedded({ clients: documents });
    agent = createUserAgent(deployment);
    const app = (id: string) => createTestClient(deployment, { id, secret: 'secret', redirectUri: callback });
    [exact, old, web] = [app('exact'), app('old'), createTestClient(deployment, demoApps.web)];
    for (const client of [exact, old, web]) await client.authorize(agent);
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** What came back to the app: by query, or by fragment. */
  const returned = ({ url }: Page, to = callback) => {
    expect(url.split(/[?#]/, 1)).toEqual([to]);
    return Object.fromEntries(new URLSearchParams(url.slice(to.length + 1)));
  };
  const ask = (parameters: Parameters, client = exact) => agent.get(client.authorizationUrl(parameters));
  const inForm = ({ html }: Page) =>
    Object.fromEntries(
      [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );

  describe('what is answered', () => {
    test('a code, the state as it was sent, and the issuer (RFC 9207), by query', async () => {
      const state = `a b+c&d=é"'<%20>${'x'.repeat(500)}`;
      const answer = returned(await ask({ state }));
      expect(answer).toEqual({ code: expect.any(String), state, iss: deployment.issuer });
      expect(returned(await ask({ state: undefined }))).toEqual({
        code: expect.any(String),
        iss: deployment.issuer,
      });
    });

    test('the same to a request by POST', async () => {
      const url = new URL(exact.authorizationUrl());
      const body = url.searchParams;
      const posted = await deployment.fetch(`${url.origin}${url.pathname}`, { method: 'POST', body });
      expect([posted.status, posted.headers.get('cache-control')]).toEqual([303, 'no-store']);
      const page = await agent.get(String(posted.headers.get('location')));
      expect(returned(page)).toEqual({ code: expect.any(String), state: 'a-state', iss: deployment.issuer });
      const asJson = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
      expect((await deployment.fetch(`${url.origin}${url.pathname}`, asJson)).status).toBe(415);
    });

    test('a form that posts itself, with nothing of the request in it as HTML', async () => {
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

    test('errors in the same form', async () => {
      const page = await createUserAgent(deployment).get(
        exact.authorizationUrl({ response_mode: 'form_post', prompt: 'none' }),
      );
      expect(page.html).toContain(`action="${callback}"`);
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
        iat: expect.any(Number),
        exp: Number(claims.iat) + 3600,
      });
      expect(header).toEqual({ alg: 'RS256', kid: expect.any(String) });
      expect(Object.keys((await idTokenOf({})).claims)).not.toContain('nonce');
    });

    test('is given with openid only', async () => {
      expect((await exact.signIn(agent, { scope: 'contracts:read' })).id_token).toBeUndefined();
    });
  });

  describe('what the app is told it did wrong', () => {
    test.each<[string, Parameters, string]>([
      ['response_type token', { response_type: 'token' }, 'unsupported_response_type'],
      ['response_type id_token', { response_type: 'id_token', nonce: 'n' }, 'unsupported_response_type'],
      [
        'response_type code id_token',
        { response_type: 'code id_token', nonce: 'n' },
        'unsupported_response_type',
      ],
      ['response_type none', { response_type: 'none' }, 'unsupported_response_type'],
      ['no response_type', { response_type: undefined }, 'invalid_request'],
      ['response_mode query.jwt', { response_mode: 'query.jwt' }, 'unsupported_response_mode'],
      [
        'no code_challenge',
        { code_challenge: undefined, code_challenge_method: undefined },
        'invalid_request',
      ],
      [
        'a challenge without method, which means plain',
        { code_challenge_method: undefined },
        'invalid_request',
      ],
      ['code_challenge_method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['a method without challenge', { code_challenge: undefined }, 'invalid_request'],
      ['a challenge that is too short', { code_challenge: 'short' }, 'invalid_request'],
      ["a scope that isn't in its document", { scope: 'openid contracts:write' }, 'invalid_scope'],
      ["an OpenID Connect scope that isn't", { scope: 'openid email' }, 'invalid_scope'],
      ['an unknown resource', { resource: 'https://unknown.example' }, 'invalid_target'],
      ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
      ['registration', { registration: '{}' }, 'registration_not_supported'],
      ['an unknown prompt', { prompt: 'perhaps' }, 'invalid_request'],
      ['prompt none with another', { prompt: 'none login' }, 'invalid_request'],
      ['a negative max_age', { max_age: '-1' }, 'invalid_request'],
      ['an id_token_hint that is none', { id_token_hint: 'a.b.c' }, 'invalid_request'],
      ['claims that are no JSON', { claims: '{' }, 'invalid_request'],
    ])('%s', async (_what, parameters, error) => {
      const answer = returned(await ask(parameters));
      expect(answer).toMatchObject({ error, state: 'a-state', iss: deployment.issuer });
      for (const name of ['code', 'access_token', 'id_token']) expect(answer).not.toHaveProperty(name);
    });

    test('a scope that nobody knows is not granted (OpenID Connect Core §3.1.2.1)', async () => {
      expect((await exact.signIn(agent, { scope: 'openid unheard-of' })).scope).toBe('openid');
    });
  });

  describe('what only a page tells, since there is no address to trust', () => {
    const isErrorPage = (page: Page, error: string) => {
      expect(new URL(page.url).origin).toBe(deployment.issuer);
      expect(page).toMatchObject({ status: 400, html: expect.stringContaining(`<code>${error}</code>`) });
      expect(page.html).not.toMatch(/(href|action|content)="[^"]*(example\.com|evil)/);
    };

    test.each([
      ['a slash more', `${callback}/`],
      ['a query', `${callback}?a=b`],
      ['an empty query', `${callback}?`],
      ['a fragment', `${callback}#a`],
      ['http', callback.replace('https', 'http')],
      ['another port', 'https://app.example.com:8443/callback'],
      ['the default port written out', 'https://app.example.com:443/callback'],
      ['another case in the path', 'https://app.example.com/Callback'],
      ['another case in the host', 'https://APP.example.com/callback'],
      ['a host below it', 'https://evil.app.example.com/callback'],
      ['a host that begins like it', 'https://app.example.com.evil.example/callback'],
      ['it as a user name', 'https://app.example.com@evil.example/callback'],
      ['a path that leads there', 'https://app.example.com/x/../callback'],
      ['a path that begins like it', 'https://app.example.com/callback-evil'],
      ['a slash twice', 'https://app.example.com//callback'],
      ['an escape', 'https://app.example.com/%63allback'],
      ['a backslash', 'https://app.example.com\\@evil.example/callback'],
      ['a space', `${callback} `],
      ['a line break', `${callback}\r\nLocation: https://evil.example`],
      ['two at once', `${callback} https://app.example.com/other`],
      ['nothing', ''],
      ['a script', 'javascript:alert(1)'],
    ])('a redirect URI with %s', async (_what, uri) => {
      isErrorPage(await ask({ redirect_uri: uri }), uri === '' ? 'invalid_request' : 'invalid_redirect_uri');
      // Nor when there is something else to tell.
      const page = await ask({ redirect_uri: uri, scope: 'openid contracts:write', prompt: 'none' });
      expect([new URL(page.url).origin, page.status]).toEqual([deployment.issuer, 400]);
      const pushed = await exact.post(
        'par',
        Object.fromEntries(new URL(exact.authorizationUrl({ redirect_uri: uri })).searchParams),
      );
      expect(pushed.status).toBe(400);
    });

    test("another app's redirect URI, two of them, and none where there are two", async () => {
      isErrorPage(await ask({ redirect_uri: demoApps.web.redirectUri }), 'invalid_redirect_uri');
      isErrorPage(await ask({ redirect_uri: undefined }), 'invalid_request');
      isErrorPage(
        await agent.get(`${exact.authorizationUrl()}&redirect_uri=https%3A%2F%2Fevil.example`),
        'invalid_request',
      );
    });

    test('a client that is unknown, and none', async () => {
      isErrorPage(await ask({ client_id: 'unknown' }), 'invalid_client');
      isErrorPage(await ask({ client_id: undefined }), 'invalid_request');
      isErrorPage(await ask({ client_id: '<script>alert(1)</script>' }), 'invalid_client');
    });

    test('a request_uri that was never pushed, wherever it points', async () => {
      for (const request_uri of ['https://evil.example/request', 'urn:ietf:params:oauth:request_uri:made-up'])
        expect([request_uri, (await ask({ request_uri })).url]).toEqual([
          request_uri,
          expect.not.stringContaining('code='),
        ]);
    });

    test('a native app may come back to any port of this machine (RFC 8252 §7.3), and nowhere else', async () => {
      const at = (redirectUri: string) => createTestClient(deployment, { id: 'native', redirectUri });
      const app = at('http://127.0.0.1:51004/callback');
      const answer = await app.authorize(createUserAgent(deployment));
      expect(tokensOf(await app.redeem(String(answer.get('code'))))).toMatchObject({ scope: 'openid' });
      for (const uri of [
        'http://127.0.0.1:51004/other',
        'http://127.0.0.2:51004/callback',
        'https://127.0.0.1:51004/callback',
      ])
        isErrorPage(await agent.get(at(uri).authorizationUrl()), 'invalid_redirect_uri');
    });
  });

  describe('PKCE (RFC 7636)', () => {
    const without = { code_challenge: undefined, code_challenge_method: undefined };
    const codeOf = async (client: TestClient, parameters: Parameters = {}) =>
      String((await client.authorize(agent, parameters)).get('code'));

    test('a code wants its verifier, and survives a wrong one', async () => {
      const code = await codeOf(exact);
      const wrong = 'w'.repeat(43);
      for (const code_verifier of [undefined, '', wrong, pkce.challenge])
        expect(await exact.redeem(code, { code_verifier })).toMatchObject({
          status: 400,
          body: { error: 'invalid_grant' },
        });
      expect((await exact.redeem(code)).status).toBe(200);
    });

    test('only a document makes it optional; a challenge that was sent still counts', async () => {
      expect((await old.redeem(await codeOf(old, without), { code_verifier: undefined })).status).toBe(200);
      const challenged = await codeOf(old);
      expect(await old.redeem(challenged, { code_verifier: undefined })).toMatchObject({
        body: { error: 'invalid_grant' },
      });
      // A verifier for a code that had no challenge: somebody took the challenge away (RFC 9700 §2.1.1).
      expect(await old.redeem(await codeOf(old, without))).toMatchObject({
        body: { error: 'invalid_grant' },
      });
    });

    test('a code wants the redirect URI it was sent to', async () => {
      const code = await codeOf(exact);
      const [, other] = redirectUris;
      for (const redirect_uri of [other, `${callback}/`])
        expect(await exact.redeem(code, { redirect_uri })).toMatchObject({
          status: 400,
          body: { error: 'invalid_grant' },
        });
      expect((await exact.redeem(code)).status).toBe(200);
    });
  });

  test('a person who comes without a session is asked for a password, and nothing is said before', async () => {
    const stranger = createUserAgent(deployment);
    const page = await stranger.get(exact.authorizationUrl());
    expect(page.html).toContain('name="password"');
    const url = await signInAndAgree(stranger, page, demo);
    expect(url.startsWith(`${callback}?code=`)).toBe(true);
  });
});
