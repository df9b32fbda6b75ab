import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { createDpopKey, type DpopKey } from '../support/dpop.ts';
import { type CallOptions, httpCall } from '../support/http-call.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { metricsOf } from '../support/metrics.ts';
import { signOut } from '../support/sign-in.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { watched } from '../support/wrapped-deployment.ts';
import { hostileHeaders, hostileHost } from './hostile-headers.ts';

const demoCredentials = { email: demo.email, password: demo.password };

describe('the issuer stays the configured one, whatever host and protocol a request names', () => {
  let deployment: Deployment;
  let key: DpopKey;
  beforeAll(async () => {
    key = await createDpopKey();
    deployment = await startServers({ processes: 1, redis: false, env: { GATEHOUSE_EVENTS_SINK: 'stdout' } });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const call = (target: string, options: CallOptions = {}) =>
    httpCall(deployment.origins[0] ?? '', target, {
      ...options,
      headers: { ...hostileHeaders, ...options.headers },
    });
  /** The same deployment. Every request to it has the hostile headers. */
  const hostile = (): Deployment => ({
    ...deployment,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      const { pathname, search } = new URL(request.url);
      const answer = await call(`${pathname}${search}`, {
        method: request.method,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      });
      const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((one): [string, string] => [name, one]),
      );
      const body = answer.body === '' ? null : answer.body;
      return new Response(body, { status: answer.status, headers });
    },
  });

  test.each(['openid-configuration', 'oauth-authorization-server'])('%s', async (name) => {
    const { body } = await call(`/.well-known/${name}`);
    expect(body).not.toContain(hostileHost);
    const document = JSON.parse(body) as Record<string, unknown>;
    const urls = Object.entries(document).filter(([field]) => /(_endpoint|_uri)$/.test(field));
    expect(urls.length).toBeGreaterThan(5);
    expect(document.issuer).toBe(deployment.issuer);
    for (const [, url] of urls) expect(String(url).startsWith(`${deployment.issuer}/`)).toBe(true);
  });

  test('a whole sign-in, its tokens and its logout', async () => {
    const seen: string[] = [];
    const recording = watched(hostile(), async (answer) => {
      seen.push(JSON.stringify([...answer.headers]), await answer.clone().text());
    });
    const agent = createUserAgent(recording);
    const web = createTestClient(recording, demoApps.web);
    const tokens = await web.signIn(agent, { scope: 'openid email contracts:read' });
    expect(decodeJwt(tokens.access_token).claims.iss).toBe(deployment.issuer);
    expect(decodeJwt(tokens.id_token).claims.iss).toBe(deployment.issuer);

    const left = await signOut(deployment, agent, { id_token_hint: tokens.id_token ?? '' });
    expect([new URL(left.url).origin, left.status]).toEqual([deployment.issuer, 200]);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.filter((text) => text.includes(hostileHost))).toEqual([]);
  });

  test('redirects and cookies match the issuer', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const url = new URL(web.authorizationUrl());
    const answer = await call(`${url.pathname}${url.search}`);
    expect(answer.status).toBe(303);
    expect(new URL(answer.headers.location ?? '', deployment.issuer).origin).toBe(deployment.issuer);
    const cookies = answer.headers['set-cookie'] ?? [];
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
      expect(cookie).not.toMatch(/; *(secure|domain)/i);
    }
    const posted = await call('/oauth2/authorize', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: url.search.slice(1),
    });
    expect(posted.status).toBe(303);
    const target = new URL(posted.headers.location ?? '', deployment.issuer);
    expect(target.href).toBe(url.href);
  });

  test.each([
    '/',
    '/nothing-here',
    '/oauth2/authorize?client_id=nobody',
    '/interaction/none',
    '/user/profile',
  ])('the answer at %s', async (target) => {
    for (const accept of ['text/html', 'application/json']) {
      const answer = await call(target, { headers: { accept } });
      expect(JSON.stringify(answer.headers) + answer.body).not.toContain(hostileHost);
    }
  });

  test('a DPoP proof must name the issuer, not the host of the request (RFC 9449 §4.3)', async () => {
    const redeem = async (htu: string) => {
      const answer = await call('/oauth2/token', {
        method: 'POST',
        headers: { ...(await key.header('POST', htu)), 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: 'demo-service',
          client_secret: 'demo-service-secret',
        }).toString(),
      });
      return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown> };
    };
    const good = await redeem(`${deployment.issuer}/oauth2/token`);
    expect([good.status, good.body.token_type]).toEqual([200, 'DPoP']);
    expect(decodeJwt(String(good.body.access_token)).claims.cnf).toEqual({
      jkt: key.thumbprint,
    });
    for (const htu of [`https://${hostileHost}/oauth2/token`, `http://${hostileHost}:666/oauth2/token`]) {
      expect(await redeem(htu)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    }
  });

  test('the client address is that of the connection, whatever the headers claim', async () => {
    const userAgent = `calls-${crypto.randomUUID()}`;
    await postJson(hostile(), '/auth/login', demoCredentials, { 'user-agent': userAgent });
    const output = () => deployment.programs[0]?.output() ?? '';
    const line = new RegExp(`.*"type":"user.login".*"ip":"127.0.0.1","userAgent":"${userAgent}".*`);
    await waitFor(() => line.test(output()), { what: 'the event' });
    expect(output()).not.toContain('203.0.113.66');
    expect(output().match(/forwarded headers ignored/g)).toHaveLength(1);
    const [metrics] = await metricsOf(deployment);
    expect(metrics).toMatch(/gatehouse_untrusted_forwarded_headers_total [1-9]/);
  });

  test("the JSON API's tokens name the issuer too", async () => {
    const { accessToken } = await apiLogin(hostile());
    expect(decodeJwt(accessToken).claims).toMatchObject({
      iss: deployment.issuer,
      aud: deployment.audience,
    });
  });
});
