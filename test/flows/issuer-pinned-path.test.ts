import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import { type CallOptions, httpCall } from '../support/http-call.ts';
import { apiLogin, getProfile, getUserinfo } from '../support/json-api.ts';
import { metricsOf } from '../support/metrics.ts';
import { openAccount, signOut } from '../support/sign-in.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { watched } from '../support/wrapped-deployment.ts';
import { codeOf, formOf, headingOf } from './account-pages.ts';
import { hostileHeaders } from './hostile-headers.ts';

describe('an https issuer with a path, behind a proxy', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    const env = { GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1/32', GATEHOUSE_EVENTS_SINK: 'stdout' };
    deployment = await startEmbedded({ issuer: (port) => `https://localhost:${port}/id`, env });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const call = (target: string, options: CallOptions = {}) =>
    httpCall(deployment.origins[0] ?? '', target, options);

  test('discovery and all endpoints that it names are below the path', async () => {
    const answer = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    const document = (await answer.json()) as Record<string, string>;
    expect(document.issuer).toBe(deployment.issuer);
    const urls = Object.entries(document).filter(([field]) => /(_endpoint|_uri)$/.test(field));
    for (const [, url] of urls) {
      expect(url.startsWith(`${deployment.issuer}/`)).toBe(true);
      expect((await deployment.fetch(url)).status).not.toBe(404);
    }
    const jwks = await deployment.fetch(document.jwks_uri ?? '');
    expect(((await jwks.json()) as { keys: unknown[] }).keys.length).toBeGreaterThan(0);
  });

  test.each(['oauth-authorization-server', 'openid-configuration'])(
    '%s is found by the rules of RFC 8414 §3.1 and of OpenID Connect Discovery §4',
    async (name) => {
      const { origin, pathname } = new URL(deployment.issuer);
      const after = await deployment.fetch(`${deployment.issuer}/.well-known/${name}`);
      const before = await deployment.fetch(`${origin}/.well-known/${name}${pathname}`);
      expect([after.status, before.status]).toEqual([200, 200]);
      const document = await before.json();
      expect(document).toMatchObject({
        issuer: deployment.issuer,
        token_endpoint: `${deployment.issuer}/oauth2/token`,
      });
      expect(await after.json()).toEqual(document);
      for (const path of [`${pathname}x`, `${pathname}/`, '/other'])
        expect((await deployment.fetch(`${origin}/.well-known/${name}${path}`)).status).toBe(404);
    },
  );

  test('a person can sign in, refresh and sign out', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const agent = createUserAgent(deployment);
    const page = await agent.get(web.authorizationUrl({ scope: 'openid email contracts:read' }));
    expect(page.url).toMatch(new RegExp(`^${deployment.issuer}/interaction/`));
    const stylesheet = /href="(?<path>[^"]+\.css[^"]*)"/.exec(page.html)?.groups?.path ?? '';
    expect((await deployment.fetch(new URL(stylesheet, deployment.issuer).href)).status).toBe(200);

    const tokens = await web.signIn(agent, { scope: 'openid email contracts:read' });
    expect(decodeJwt(tokens.access_token).claims).toMatchObject({
      iss: deployment.issuer,
      aud: deployment.audience,
    });
    expect((await web.refresh(tokens.refresh_token)).status).toBe(200);
    const userinfo = await getUserinfo(deployment, tokens.access_token);
    expect(await userinfo.json()).toMatchObject({ email: 'john@example.com' });

    const left = await signOut(deployment, agent, { id_token_hint: tokens.id_token ?? '' });
    expect(left.url.startsWith(`${deployment.issuer}/oauth2/logout`)).toBe(true);
    expect(left.status).toBe(200);
  });

  test('the account page, its forms, notices and cookies stay below the path', async () => {
    const cookies: string[] = [];
    const recording = watched(deployment, (answer) => {
      cookies.push(...answer.headers.getSetCookie());
    });
    const agent = createUserAgent(recording);
    const account = `${deployment.issuer}/account`;
    const page = await openAccount(deployment, agent, demo);
    expect([page.url, headingOf(page)]).toEqual([account, 'Your account']);
    const ended = await agent.submit(formOf(page, 'end', 'Sign out'), {});
    expect([ended.url, headingOf(ended)]).toEqual([`${account}/signed-out`, 'You’re signed out']);
    const other = createUserAgent(deployment);
    const theirs = await openAccount(deployment, other, demo);
    const everywhere = await openAccount(deployment, agent, demo);
    const done = await agent.submit(formOf(everywhere, 'sign-out-everywhere'), {});
    expect(headingOf(done)).toBe('You’re signed out everywhere');
    expect(codeOf(await other.submit(formOf(theirs, 'sign-out-everywhere'), {}))).toBe('session_ended');
    // The session cookie's name requires the path `/`. All other cookies have the issuer's path.
    const rest = cookies.filter((cookie) => !/^__Host-[^;]*; path=\/;/i.test(cookie));
    expect(rest.some((cookie) => cookie.startsWith('__Secure-gatehouse_notice='))).toBe(true);
    for (const cookie of rest) expect(cookie).toMatch(/; path=\/id\//i);
  });

  test('an authorization request by POST stays below the path', async () => {
    const url = new URL(createTestClient(deployment, demoApps.web).authorizationUrl());
    const body = new URLSearchParams(url.search);
    const answer = await deployment.fetch(`${url.origin}${url.pathname}`, { method: 'POST', body });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, url.href]);
  });

  test('the JSON API and the assets are below the path, and a gateway may remove the path', async () => {
    const { accessToken } = await apiLogin(deployment);
    expect((await getProfile(deployment, accessToken)).status).toBe(200);
    const { origin } = new URL(deployment.issuer);
    const bare = await deployment.fetch(`${origin}/.well-known/openid-configuration`);
    expect(await bare.json()).toMatchObject({
      issuer: deployment.issuer,
      token_endpoint: `${deployment.issuer}/oauth2/token`,
      jwks_uri: `${deployment.issuer}/.well-known/jwks.json`,
    });
    expect((await deployment.fetch(`${origin}/idx/.well-known/openid-configuration`)).status).toBe(404);
  });

  test('metrics name the routes without the path', async () => {
    await deployment.fetch(`${deployment.issuer}/.well-known/jwks.json`);
    const [metrics] = await metricsOf(deployment);
    expect(metrics).toContain('gatehouse_http_requests_total{route="/.well-known/jwks.json"');
  });

  test('every cookie is Secure, and every answer has Strict-Transport-Security', async () => {
    const cookies: string[] = [];
    const here = watched(deployment, (answer) => {
      cookies.push(...answer.headers.getSetCookie());
      expect(answer.headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
    });
    const tokens = await createTestClient(here, demoApps.web).signIn(createUserAgent(here));
    expect(decodeJwt(tokens.access_token).claims.iss).toBe(deployment.issuer);
    expect(cookies.some((cookie) => cookie.startsWith('__Host-gatehouse_session='))).toBe(true);
    expect(cookies.filter((cookie) => !/; secure/i.test(cookie))).toEqual([]);
  });

  test('a trusted proxy that says http changes nothing', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const url = new URL(web.authorizationUrl());
    const headers = { ...hostileHeaders, 'x-forwarded-proto': 'http' };
    const answer = await call(`${url.pathname}${url.search}`, { headers });
    for (const cookie of answer.headers['set-cookie'] ?? ['none']) expect(cookie).toMatch(/; secure/i);
    const posted = await call('/oauth2/authorize', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: url.search.slice(1),
    });
    expect([posted.status, posted.headers.location]).toEqual([303, url.href]);
  });

  const claims: [claimed: string, ip: string][] = [
    ['198.51.100.7', '198.51.100.7'],
    ['203.0.113.66, 198.51.100.8', '198.51.100.8'],
    ['198.51.100.9, 127.0.0.1', '198.51.100.9'],
    ['nonsense', '127.0.0.1'],
  ];
  test.each(claims)('if a trusted proxy sends the addresses %j, the event has %s', async (claimed, ip) => {
    const userAgent = `calls-${crypto.randomUUID()}`;
    const answer = await call('/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': claimed, 'user-agent': userAgent },
      body: JSON.stringify({ email: demo.email, password: demo.password }),
    });
    expect(answer.status).toBe(200);
    const line = `"ip":"${ip}","userAgent":"${userAgent}"`;
    const output = () => deployment.programs[0]?.output() ?? '';
    await waitFor(() => output().includes(line), { what: `the event with ${line}` });
  });
});
