import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { httpCall } from '../support/http-call.ts';
import { apiLogin } from '../support/json-api.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';

describe('HTTP as everybody may speak it', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, redis: false });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const origin = () => deployment.origins[0] ?? '';
  const at = (path: string, init?: RequestInit) => deployment.fetch(`${deployment.issuer}${path}`, init);

  test('headers of 20 KB are too large, 10 KB are taken', async () => {
    const path = '/.well-known/openid-configuration';
    const large = await httpCall(origin(), path, { headers: { 'x-large': 'a'.repeat(20_000) } });
    expect(large.status).toBe(431);
    const longLine = await httpCall(origin(), `${path}?${'a'.repeat(20_000)}`);
    expect(longLine.status).toBe(431);
    const taken = await httpCall(origin(), path, { headers: { 'x-large': 'a'.repeat(10_000) } });
    expect(taken.status).toBe(200);
  });

  test('a connection cut in the middle harms nobody and is no error of ours', async () => {
    const { port } = new URL(origin());
    for (const path of ['/auth/login', '/oauth2/token', '/oauth2/introspect', '/oauth2/authorize']) {
      const type = path === '/auth/login' ? 'application/json' : 'application/x-www-form-urlencoded';
      const headers = { 'content-type': type, 'content-length': 1000, expect: '100-continue' };
      const call = request({ host: '127.0.0.1', port, path, method: 'POST', headers });
      call.on('error', () => {});
      // Asked to go on, so it is being read.
      await new Promise((resolve) => call.once('continue', resolve).flushHeaders());
      call.write('{"email":');
      call.destroy();
      const line = new RegExp(`"route":"${path}","status":"(aborted|400)"`);
      await waitFor(() => line.test(deployment.programs[0]?.output() ?? ''), { what: `${path} to be cut` });
    }
    await apiLogin(deployment);
    expect(deployment.programs[0]?.output()).not.toContain('"level":"error"');
  });

  const methods: [path: string, wrong: string[], allowed: string[]][] = [
    ['/auth/login', ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD'], ['POST', 'OPTIONS']],
    ['/user/profile', ['POST', 'DELETE'], ['GET', 'HEAD', 'OPTIONS']],
    ['/oauth2/token', ['GET', 'PUT', 'HEAD'], ['POST', 'OPTIONS']],
    ['/oauth2/authorize', ['PUT', 'DELETE'], ['GET', 'POST']],
    ['/oauth2/userinfo', ['PUT', 'DELETE'], ['GET', 'POST', 'OPTIONS']],
    ['/.well-known/openid-configuration', ['POST', 'DELETE'], ['GET', 'HEAD', 'OPTIONS']],
    ['/.well-known/jwks.json', ['POST', 'PROPFIND'], ['GET', 'HEAD']],
    ['/openapi.json', ['POST'], ['GET', 'HEAD']],
    ['/', ['POST', 'DELETE'], ['GET', 'HEAD']],
  ];
  test.each(methods)('%s refuses %j and says which it takes', async (path, wrong, allowed) => {
    for (const method of wrong) {
      const answer = await httpCall(origin(), path, { method });
      expect([method, answer.status]).toEqual([method, 405]);
      expect(String(answer.headers.allow).split(', ')).toEqual(expect.arrayContaining(allowed));
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      if (method !== 'HEAD') expect(JSON.parse(answer.body)).toMatchObject({ code: 'method_not_allowed' });
    }
  });

  test.each(['/nothing', '/oauth2', '/oauth2/nothing', '/.well-known/nothing', '/assets/nothing.css'])(
    '%s is told missing to a person by a page, to a program by a document',
    async (path) => {
      const page = await at(path, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
      expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
      expect(await page.text()).toContain(page.headers.get('x-request-id'));
      for (const accept of ['application/json', '*/*']) {
        const answer = await at(path, { headers: { accept } });
        expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect([answer.status, await answer.json()]).toEqual([
          404,
          expect.objectContaining({ code: 'not_found' }),
        ]);
      }
    },
  );

  test('below /auth nobody gets a page', async () => {
    const answer = await at('/auth/nothing', { headers: { accept: 'text/html' } });
    expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([
      404,
      'application/problem+json',
    ]);
  });

  test.each([
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/.well-known/jwks.json',
  ])('%s may be kept, and asked whether it changed', async (path) => {
    const first = await at(path);
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toMatch(/^public, max-age=[1-9]\d*/);
    expect(etag).toMatch(/^(W\/)?"[\w-]{16,}"$/);
    expect((await at(path)).headers.get('etag')).toBe(etag);

    // `fetch` would ask with `Cache-Control: no-cache`.
    const ask = (known: string) => httpCall(origin(), path, { headers: { 'if-none-match': known } });
    const again = await ask(etag);
    expect([again.status, again.body, again.headers.etag]).toEqual([304, '', etag]);
    expect(again.headers['cache-control']).toBe(first.headers.get('cache-control'));
    expect((await ask('"something-else"')).status).toBe(200);
    const head = await at(path, { method: 'HEAD' });
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag]);
  });

  test('the key set holds public RSA members only, and the key that signs', async () => {
    const text = await (await at('/.well-known/jwks.json')).text();
    const { keys } = JSON.parse(text) as { keys: Record<string, string>[] };
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
      expect(key).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig' });
      expect(Buffer.from(key.n ?? '', 'base64url').length).toBeGreaterThanOrEqual(256);
    }
    const { accessToken } = await apiLogin(deployment);
    expect(keys.map(({ kid }) => kid)).toContain(decodeJwt(accessToken).header.kid);
    expect(text.length).toBeLessThan(150_000);
  });

  test('what holds tokens is kept by nobody', async () => {
    const service = createTestClient(deployment, demoApps.service);
    for (const answer of [
      await service.post('token', { grant_type: 'client_credentials' }),
      await service.post('token', { grant_type: 'nonsense' }),
      await service.post('introspect', { token: 'x' }),
    ]) {
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('every answer tells browsers not to guess its type', async () => {
    for (const path of ['/', '/nothing', '/user/profile', '/.well-known/jwks.json', '/oauth2/userinfo']) {
      expect((await at(path)).headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});
