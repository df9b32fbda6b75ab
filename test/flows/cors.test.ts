import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { createTestClient, demoApps, pkce } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';

const registered = 'http://localhost:8080';
const others = [
  'https://evil.example',
  'http://127.0.0.1:8080',
  'https://localhost:8080',
  'http://localhost:8080.evil.example',
  'null',
];

describe('CORS', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, redis: false });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const credentials = { email: demo.email, password: demo.password };
  const preflight = (path: string, origin: string, method: string, headers: string) =>
    deployment.fetch(`${deployment.issuer}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': headers,
      },
    });
  const allowed = ({ headers }: Response) => headers.get('access-control-allow-origin');
  const corsHeaders = ({ headers }: Response) =>
    [...headers.keys()].filter((name) => name.startsWith('access-control-'));

  describe('the JSON API', () => {
    const calls: [path: string, method: string][] = [
      ['/auth/login', 'POST'],
      ['/auth/refresh', 'POST'],
      ['/auth/logout', 'POST'],
      ['/auth/register', 'POST'],
      ['/auth/login/passkey', 'POST'],
      ['/auth/passkey/options', 'POST'],
      ['/auth/passkey/login', 'POST'],
      ['/user/passkeys/options', 'POST'],
      ['/user/passkeys', 'POST'],
      ['/user/profile', 'GET'],
    ];

    test.each(calls)('%s answers the preflight of a registered origin', async (path, method) => {
      const answer = await preflight(path, registered, method, 'authorization, content-type');
      expect(answer.status).toBe(204);
      expect(allowed(answer)).toBe(registered);
      expect(answer.headers.get('access-control-allow-methods')).toBe(method);
      const names = answer.headers.get('access-control-allow-headers')?.toLowerCase().split(', ');
      expect(names).toEqual(expect.arrayContaining(['authorization', 'content-type']));
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      expect(answer.headers.get('vary')).toMatch(/\bOrigin\b/i);
    });

    test.each(others)('the origin %s gets no CORS headers', async (origin) => {
      expect(corsHeaders(await preflight('/auth/login', origin, 'POST', 'content-type'))).toEqual([]);
      const answer = await postJson(deployment, '/auth/login', credentials, { origin });
      expect(corsHeaders(answer)).toEqual([]);
      expect(answer.headers.get('vary')).toMatch(/\bOrigin\b/i);
    });

    test('a page of a registered origin can read answers and errors, without credentials', async () => {
      for (const [body, status] of [
        [credentials, 200],
        [{ ...credentials, password: 'wrong' }, 401],
        [{}, 400],
        ['{', 400],
        [JSON.stringify({ email: 'a'.repeat(70 * 1024) }), 413],
      ] as const) {
        const answer = await postJson(deployment, '/auth/login', body, { origin: registered });
        expect([answer.status, allowed(answer)]).toEqual([status, registered]);
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      }
      const profile = await deployment.fetch(`${deployment.issuer}/user/profile`, {
        headers: { origin: registered },
      });
      expect([profile.status, allowed(profile)]).toEqual([401, registered]);
      expect(profile.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
    });
  });

  test.each(['/.well-known/openid-configuration', '/.well-known/jwks.json', '/openapi.json'])(
    'every page can read %s',
    async (path) => {
      const headers = { origin: 'https://anybody.example' };
      const answer = await deployment.fetch(`${deployment.issuer}${path}`, { headers });
      expect(answer.status).toBe(200);
      expect(['*', 'https://anybody.example']).toContain(allowed(answer));
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );

  test.each([
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/.well-known/jwks.json',
    '/openapi.json',
  ])('%s may be read with any header, such as those of tracing', async (path) => {
    const answer = await preflight(path, 'https://anybody.example', 'GET', 'traceparent, x-anything');
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(['*', 'https://anybody.example']).toContain(allowed(answer));
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET');
    expect(answer.headers.get('access-control-allow-headers')).toBe('traceparent, x-anything');
    expect(answer.headers.get('access-control-max-age')).toBe('3600');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  describe('the protocol', () => {
    const redeem = async (origin: string) => {
      const spa = createTestClient(deployment, demoApps.spa);
      const code = await spa.code(createUserAgent(deployment));
      return deployment.fetch(`${deployment.issuer}/oauth2/token`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          client_id: spa.id,
          code,
          redirect_uri: spa.redirectUri,
          code_verifier: pkce.verifier,
        }),
      });
    };

    test('a single-page app redeems its code from its own origin', async () => {
      const asked = await preflight('/oauth2/token', registered, 'POST', 'content-type');
      expect([asked.ok, allowed(asked)]).toEqual([true, registered]);
      const answer = await redeem(registered);
      expect([answer.status, allowed(answer)]).toEqual([200, registered]);
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    });

    test('a page of another origin can’t read the answer', async () => {
      const answer = await redeem('https://evil.example');
      expect(allowed(answer)).toBeNull();
      expect(await answer.text()).not.toContain('access_token');
    });

    test("only pages of the app's own origin can read userinfo", async () => {
      const spa = createTestClient(deployment, demoApps.spa);
      const { access_token: token } = await spa.signIn(createUserAgent(deployment));
      const ask = (origin: string) =>
        deployment.fetch(`${deployment.issuer}/oauth2/userinfo`, {
          headers: { origin, authorization: `Bearer ${token}` },
        });
      const own = await ask(registered);
      expect([own.status, allowed(own)]).toEqual([200, registered]);
      expect(allowed(await ask('https://evil.example'))).toBeNull();
    });

    test('no page can read our pages or the authorization endpoint', async () => {
      for (const path of ['/oauth2/authorize?client_id=demo-spa', '/', '/oauth2/logout']) {
        const answer = await deployment.fetch(`${deployment.issuer}${path}`, {
          headers: { origin: registered, accept: 'text/html' },
        });
        expect(corsHeaders(answer)).toEqual([]);
      }
    });
  });

  test('a sign-in from a page neither needs nor sets a cookie', async () => {
    const { accessToken } = await apiLogin(deployment, { clientId: 'demo-first-party' });
    const answer = await deployment.fetch(`${deployment.issuer}/user/profile`, {
      headers: { origin: registered, authorization: `Bearer ${accessToken}` },
    });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
  });
});
