import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { httpCall } from '../support/http-call.ts';
import { apiLogin } from '../support/json-api.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';

describe('HTTP of the public endpoints', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, redis: false });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const origin = () => deployment.origins[0] ?? '';
  const at = (path: string, init?: RequestInit) => deployment.fetch(`${deployment.issuer}${path}`, init);

  test.each([
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server',
    '/.well-known/jwks.json',
  ])('%s can be cached and revalidated', async (path) => {
    const first = await at(path);
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toMatch(/^public, max-age=[1-9]\d*/);
    expect(etag).toMatch(/^(W\/)?"[\w-]{16,}"$/);
    expect((await at(path)).headers.get('etag')).toBe(etag);

    // `fetch` would add `Cache-Control: no-cache`.
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

  test('answers with tokens can’t be cached', async () => {
    const service = createTestClient(deployment, demoApps.service);
    for (const answer of [
      await service.clientCredentials(),
      await service.post('token', { grant_type: 'nonsense' }),
      await service.post('introspect', { token: 'x' }),
    ]) {
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('every answer forbids browsers to guess its type', async () => {
    for (const path of ['/', '/nothing', '/user/profile', '/.well-known/jwks.json', '/oauth2/userinfo']) {
      expect((await at(path)).headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});
