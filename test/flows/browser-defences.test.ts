import { createHmac, hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startEmbedded } from '../support/deployment.ts';
import { httpCall } from '../support/http-call.ts';
import { apiLogin } from '../support/json-api.ts';
import { silently } from '../support/sign-in.ts';
import { bearer, createTestClient, demoApps, type TestClient } from '../support/test-client.ts';
import {
  cookieHeader,
  copyOf,
  createUserAgent,
  hiddenField,
  type Page,
  stepOf,
  type UserAgent,
} from '../support/user-agent.ts';
import { watched } from '../support/wrapped-deployment.ts';

describe('protection of a person’s browser', () => {
  let deployment: Deployment;
  let web: TestClient;
  let agent: UserAgent;
  beforeAll(async () => {
    deployment = await startEmbedded({ issuer: (port) => `https://localhost:${port}` });
    web = createTestClient(deployment, demoApps.web);
    agent = createUserAgent(deployment);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const at = (path: string, init?: RequestInit) => deployment.fetch(`${deployment.issuer}${path}`, init);
  const { email, password } = demo;

  const answers: [what: string, path: string, init: RequestInit][] = [
    ['a page', '/', { headers: { accept: 'text/html' } }],
    ['a page that is missing', '/nothing', { headers: { accept: 'text/html' } }],
    ['an interaction that is not there', '/interaction/nothing', { headers: { accept: 'text/html' } }],
    ['a logout', '/oauth2/logout', { headers: { accept: 'text/html' } }],
    ['a refused authorization request', '/oauth2/authorize', { headers: { accept: 'text/html' } }],
    ['a problem', '/user/profile', {}],
    ['a wrong method', '/auth/login', { method: 'PUT' }],
    ['a wrong type', '/auth/login', { method: 'POST', body: 'text' }],
    ['an error of the protocol', '/oauth2/token', { method: 'POST', body: new URLSearchParams() }],
    ['userinfo', '/oauth2/userinfo', {}],
    ['the keys', '/.well-known/jwks.json', {}],
    ['discovery', '/.well-known/openid-configuration', {}],
    ['the API’s description', '/openapi.json', {}],
    ['a preflight', '/auth/login', { method: 'OPTIONS' }],
  ];
  test.each(answers)(
    '%s forbids framing, type sniffing and referrers to other sites',
    async (_what, path, init) => {
      const { headers } = await at(path, init);
      const policy = (headers.get('content-security-policy') ?? '').split(/; ?/);
      expect(policy).toEqual(
        expect.arrayContaining(["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]),
      );
      expect(policy.join()).not.toMatch(/unsafe|\*|data:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toMatch(/^(no-referrer|same-origin)$/);
      const transport = headers.get('strict-transport-security') ?? '';
      const { seconds } = /^max-age=(?<seconds>\d+); includeSubDomains$/.exec(transport)?.groups ?? {};
      expect(Number(seconds)).toBeGreaterThanOrEqual(365 * 24 * 3600);
    },
  );

  test('a file of a page can’t be framed and runs no scripts when it is opened directly', async () => {
    const { headers } = await at('/assets/gatehouse.css');
    const policy = (headers.get('content-security-policy') ?? '').split('; ');
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "frame-ancestors 'none'", 'sandbox']),
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('TRACE returns nothing of the request', async () => {
    const { hostname, port } = new URL(deployment.origins[0] ?? '');
    for (const path of ['/', '/auth/login', '/oauth2/token', '/oauth2/authorize']) {
      const headers = { cookie: 'a=my-cookie' };
      const answer = await httpCall(`http://${hostname}:${port}`, path, { method: 'TRACE', headers });
      expect([path, answer.status >= 400]).toEqual([path, true]);
      expect(answer.body).not.toContain('my-cookie');
    }
  });

  test('cookies belong to this host, need https, and are hidden from scripts and other sites', async () => {
    const lines: string[] = [];
    const recording = watched(deployment, (answer) => {
      lines.push(...answer.headers.getSetCookie());
    });
    await createTestClient(recording, demoApps.web).signIn(createUserAgent(recording));
    const names = new Set(lines.map((line) => line.split('=', 1)[0]));
    const expected = [
      '__Host-gatehouse_session',
      '__Secure-gatehouse_interaction',
      '__Secure-gatehouse_resume',
    ];
    expect([...names].sort()).toEqual(
      [
        ...expected.flatMap((name) => [name, `${name}.sig`]),
        ...['__Host-gatehouse_known', '__Secure-gatehouse_signed_in'],
      ].sort(),
    );
    for (const line of lines) {
      expect(line).toMatch(/; secure/i);
      expect(line).toMatch(/; httponly/i);
      expect(line).toMatch(/; samesite=lax/i);
      expect(line).not.toMatch(/; domain=/i);
      if (line.startsWith('__Host-')) expect(line).toMatch(/; path=\/;/i);
      expect(line.length).toBeLessThan(4096);
    }
  });

  test('cookies are signed with HMAC-SHA-256, and a signature with SHA-1 is refused', async () => {
    const secret = await readFile(`${deployment.folder}/server-secrets`, 'utf8');
    const key = Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse cookie', 32)).toString('base64url');
    const sign = (hash: string, text: string) => createHmac(hash, key).update(text).digest('base64url');
    const one = createUserAgent(deployment);
    // The cookies of a sign-in under way, and those of a session.
    for (const step of [() => one.get(web.authorizationUrl()), () => web.signIn(one)]) {
      await step();
      const signed = [...one.cookies.keys()].filter((name) => one.cookies.has(`${name}.sig`));
      expect(signed).not.toEqual([]);
      for (const name of signed) {
        const text = `${name}=${one.cookies.get(name)}`;
        expect([name, one.cookies.get(`${name}.sig`)]).toEqual([name, sign('sha256', text)]);
      }
    }
    const old = copyOf(deployment, one);
    const name = '__Host-gatehouse_session';
    old.cookies.set(`${name}.sig`, sign('sha1', `${name}=${one.cookies.get(name)}`));
    expect([await silently(one, web), await silently(old, web)]).toEqual(['code', 'login_required']);
  });

  describe('a session', () => {
    test('gets a new id at sign-in, and the old id is worthless', async () => {
      await web.signIn(agent);
      const before = copyOf(deployment, agent);
      expect(await silently(before, web)).toBe('code');
      const page = await agent.get(web.authorizationUrl({ prompt: 'login' }));
      await agent.submit(page, { email, password });
      expect(await silently(agent, web)).toBe('code');
      expect(await silently(before, web)).toBe('login_required');
      const ids = [before, agent].map(({ cookies }) => cookies.get('__Host-gatehouse_session') ?? '');
      // 43 characters of 6 bits are 258 bits.
      for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/);
      expect(new Set(ids).size).toBe(2);
    });
  });

  describe('a sign-in under way', () => {
    const expired = (page: Page) => {
      expect([page.status, page.html]).toEqual([
        400,
        expect.stringContaining('<code>interaction_expired</code>'),
      ]);
    };

    test('works only in the browser where it began: other browsers can neither open nor post it', async () => {
      const [one, other] = [createUserAgent(deployment), createUserAgent(deployment)];
      const page = await one.get(web.authorizationUrl());
      expired(await other.get(page.url));
      expired(await other.submit(page, { email, password }));
      // The cookies of another sign-in don't help either.
      await other.get(web.authorizationUrl());
      expired(await other.get(page.url));
      expired(await other.submit(page, { email, password }));
      expect((await one.submit(page, { email, password })).status).not.toBe(400);
    });

    test('can be finished only in the browser where the password was typed', async () => {
      const [neighbour, person] = [createUserAgent(deployment), createUserAgent(deployment)];
      const page = await neighbour.get(web.authorizationUrl());
      for (const [name, value] of neighbour.cookies) person.cookies.set(name, value);
      const seen = await person.get(page.url);
      const cookie = cookieHeader(person);
      const csrf = hiddenField(seen, 'csrf');
      const body = new URLSearchParams({ csrf, email, password });
      const headers = { cookie };
      const posted = await deployment.fetch(stepOf(page, '/sign-in'), { method: 'POST', body, headers });
      expect(posted.status).toBe(303);
      const { url } = await neighbour.get(String(posted.headers.get('location')));
      expect(new URL(url).searchParams.get('error')).toBe('login_required');
      expect(await silently(neighbour, web)).toBe('login_required');
    });

    test('is not changed by a form that is sent by GET, with its token', async () => {
      const one = createUserAgent(deployment);
      const byGet = async (page: Page, step: string) => {
        const url = new URL(stepOf(page, step));
        const fields = { csrf: hiddenField(page, 'csrf'), email, password, decision: 'allow' };
        for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
        return (await one.get(url.href)).html;
      };
      const page = await one.get(web.authorizationUrl({ prompt: 'consent' }));
      for (const step of ['', '/sign-in', '/sign-up', '/cancel', '/consent'])
        expect(await byGet(page, step)).toContain('name="password"');
      const consent = await one.submit(page, { email, password });
      expect(consent.html).toContain('name="decision"');
      for (const step of ['', '/sign-in', '/sign-up', '/cancel', '/consent'])
        expect(await byGet(consent, step)).toContain('name="decision"');
      expect((await one.submit(consent, { decision: 'allow' })).url).toContain('code=');
    });

    test('accepts no form without its token or with the token of another sign-in', async () => {
      const [one, other] = [createUserAgent(deployment), createUserAgent(deployment)];
      const page = await one.get(web.authorizationUrl());
      const elsewhere = await other.get(web.authorizationUrl());
      const foreign = hiddenField(elsewhere, 'csrf');
      expect(foreign).not.toBe('');
      for (const csrf of ['', foreign]) expired(await one.submit(page, { email, password, csrf }));
      const url = stepOf(page, '/sign-in');
      const cookie = cookieHeader(one);
      const body = new URLSearchParams({ email, password });
      const without = await deployment.fetch(url, { method: 'POST', body, headers: { cookie } });
      expect(without.status).toBe(400);
      expect((await one.submit(page, { email, password })).status).not.toBe(400);
    });

    test('accepts no form from another origin, not even of the same site', async () => {
      const one = createUserAgent(deployment);
      const page = await one.get(web.authorizationUrl());
      const csrf = hiddenField(page, 'csrf');
      const cookie = cookieHeader(one);
      const send = async (headers: Record<string, string>) => {
        const body = new URLSearchParams({ csrf, email, password });
        const init = { method: 'POST', body, headers: { cookie, ...headers } };
        return (await deployment.fetch(stepOf(page, '/sign-in'), init)).status;
      };
      for (const origin of ['https://evil.localhost', 'http://localhost', 'null'])
        expect([origin, await send({ origin })]).toEqual([origin, 400]);
      for (const site of ['same-site', 'cross-site'])
        expect([site, await send({ 'sec-fetch-site': site })]).toEqual([site, 400]);
      expect(await send({ origin: deployment.issuer, 'sec-fetch-site': 'same-origin' })).toBe(303);
    });

    test('goes step by step: consent can’t replace the password', async () => {
      const one = createUserAgent(deployment);
      const page = await one.get(web.authorizationUrl());
      const consent = { ...page, html: page.html.replace(/\/sign-in\?/, '/consent?') };
      expect(consent.html).not.toBe(page.html);
      expired(await one.submit(consent, { decision: 'allow' }));
      const uid = new URL(page.url).pathname.split('/').at(-1);
      const early = await one.get(`${deployment.issuer}/oauth2/authorize/${uid}`);
      expect(early.url).not.toContain('code=');
    });
  });

  test('the metadata state what apps can rely on', async () => {
    const metadata = await (await at('/.well-known/oauth-authorization-server')).json();
    expect(metadata).toMatchObject({
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: ['RS256'],
      request_uri_parameter_supported: false,
    });
    expect(metadata).not.toHaveProperty('registration_endpoint');
  });

  test('an access token in the address is ignored', async () => {
    const { accessToken } = await apiLogin(deployment);
    for (const path of ['/user/profile', '/oauth2/userinfo']) {
      const inQuery = await at(`${path}?access_token=${accessToken}`);
      expect([path, inQuery.status >= 400]).toEqual([path, true]);
      const inHeader = await at(path, { headers: bearer(accessToken) });
      expect([path, inHeader.status]).toEqual([path, 200]);
    }
  });
});
