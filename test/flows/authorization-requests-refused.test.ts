import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Deployment } from '../support/deployment.ts';
import {
  createTestClient,
  demoApps,
  type Parameters,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { startInProcess } from './in-process.ts';

const callback = 'https://app.example.com/callback';
const documents = [
  {
    id: 'exact',
    name: 'Exact',
    secrets: [{ sha256: createHash('sha256').update('secret').digest('hex') }],
    redirectUris: [callback, 'https://app.example.com/other'],
    scopes: ['openid', 'contracts:read'],
  },
  {
    id: 'native',
    name: 'Native',
    auth: 'none',
    applicationType: 'native',
    redirectUris: ['http://127.0.0.1/callback'],
    scopes: ['openid'],
  },
];

describe('authorization requests that are refused', () => {
  let deployment: Deployment;
  /** A browser in which a person is signed in who agreed to `openid`: whatever is refused is refused for its own sake. */
  let agent: UserAgent;
  let exact: TestClient;
  beforeAll(async () => {
    deployment = await startInProcess(documents);
    agent = createUserAgent(deployment);
    exact = createTestClient(deployment, { id: 'exact', secret: 'secret', redirectUri: callback });
    await exact.authorize(agent);
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** What came back to the app: by query, or by fragment. */
  const returned = ({ url }: Page) => {
    expect(url.split(/[?#]/, 1)).toEqual([callback]);
    return Object.fromEntries(new URLSearchParams(url.slice(callback.length + 1)));
  };
  const ask = (parameters: Parameters) => agent.get(exact.authorizationUrl(parameters));

  describe('the app is told what it did wrong', () => {
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

  describe('only a page tells, since there is no address to trust', () => {
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
});
