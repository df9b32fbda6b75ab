import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, oneProcess, startServers } from '../support/deployment.ts';
import { newPerson, openSignOut, silently } from '../support/sign-in.ts';
import { decodeJwt, type TestClient, type Tokens } from '../support/test-client.ts';
import { copyOf, createUserAgent, type Page, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, offline, signedOutUri, standing } from './apps.ts';

const withQuery = 'http://localhost:8080/out?tenant=1';
const clients = [
  appDocument('web', { postLogoutRedirectUris: [signedOutUri, withQuery] }),
  appDocument('other'),
  appDocument('own', { firstParty: true }),
];

let deployment: Deployment;
let web: TestClient;
let other: TestClient;
beforeAll(async () => {
  deployment = await startServers({ clients });
  web = createApp(deployment, 'web');
  other = createApp(deployment, 'other');
}, 120_000);
afterAll(() => deployment?.stop());

const logout = (agent: UserAgent, parameters: Record<string, string> = {}) =>
  openSignOut(deployment, agent, parameters);
const yes = { logout: 'yes' };
const live = (app: TestClient, { access_token }: Tokens) => standing(deployment, app, access_token);
const refreshes = async (app: TestClient, { refresh_token }: Tokens) =>
  (await app.refresh(refresh_token)).status;

describe('signing out (RP-Initiated Logout 1.0)', () => {
  let agent: UserAgent;
  beforeEach(() => {
    agent = createUserAgent(deployment);
  });

  test('ends the session and its families without offline_access at every client, and no others', async () => {
    const elsewhere = createUserAgent(deployment);
    const abroad = await web.signIn(elsewhere, { scope: allScopes });
    const [early, stays] = [await web.signIn(agent, { scope: allScopes }), await web.signIn(agent, offline)];
    const [later, beside] = [
      await web.signIn(agent, { scope: allScopes }),
      await other.signIn(agent, { scope: allScopes }),
    ];
    await agent.submit(await logout(agent, { id_token_hint: early.id_token ?? '' }), yes);
    for (const [app, tokens] of [
      [web, early],
      [web, later],
      [other, beside],
    ] as const) {
      expect(await live(app, tokens)).toBe('dead');
      expect(await refreshes(app, tokens)).toBe(400);
    }
    expect(await live(web, stays)).toBe('live');
    expect(await refreshes(web, stays)).toBe(200);
    expect(await live(web, abroad)).toBe('live');
    expect(await refreshes(web, abroad)).toBe(200);
    expect(await silently(elsewhere, web)).toBe('code');
  });

  test('ends codes of the session that were not redeemed', async () => {
    const code = await web.code(agent, { scope: allScopes });
    await agent.submit(await logout(agent), yes);
    expect((await web.redeem(code)).body.error).toBe('invalid_grant');
  });

  test('counts at once on every process, and the old cookies don’t sign in', async () => {
    const [one, two] = [oneProcess(deployment, 0), oneProcess(deployment, 1)];
    const there = createUserAgent(one);
    const tokens = await createApp(one, 'web').signIn(there, { scope: allScopes });
    const stolen = copyOf(two, there);
    expect(await silently(copyOf(two, there), web)).toBe('code');
    const asked = await there.get(`${deployment.issuer}/oauth2/logout`);
    const confirmed = copyOf(one, there);
    await there.submit(asked, yes);
    expect((await createApp(two, 'web').refresh(tokens.refresh_token)).status).toBe(400);
    for (const old of [stolen, confirmed, there]) expect(await silently(old, web)).toBe('login_required');
    const page = await stolen.get(web.authorizationUrl());
    expect(page.html).toContain('name="password"');
  });

  test("keeps the session and ends only that client's families if the person declines", async () => {
    const [mine, stays] = [await web.signIn(agent, { scope: allScopes }), await web.signIn(agent, offline)];
    const beside = await other.signIn(agent, { scope: allScopes });
    await agent.submit(await logout(agent, { id_token_hint: mine.id_token ?? '' }), {});
    expect(await live(web, mine)).toBe('dead');
    expect(await refreshes(web, mine)).toBe(400);
    for (const [app, tokens] of [
      [web, stays],
      [other, beside],
    ] as const) {
      expect(await live(app, tokens)).toBe('live');
      expect(await refreshes(app, tokens)).toBe(200);
    }
    expect(await silently(agent, web)).toBe('code');
    const again = await web.signIn(agent, { scope: allScopes, prompt: 'none' });
    expect(await live(web, again)).toBe('live');
    expect(await refreshes(web, mine)).toBe(400);
  });

  test('ends nothing if the person declines and no client is named', async () => {
    const tokens = await web.signIn(agent, { scope: allScopes });
    await agent.submit(await logout(agent), {});
    expect(await live(web, tokens)).toBe('live');
    expect(await silently(agent, web)).toBe('code');
  });

  test('returns the person to the app even without a session', async () => {
    const tokens = await web.signIn(agent, { scope: allScopes });
    const stranger = createUserAgent(deployment);
    const parameters = {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: signedOutUri,
      state: 's',
    };
    const page = await logout(stranger, parameters);
    expect(page.url).toBe(`${signedOutUri}?state=s`);
    expect(stranger.cookies.size).toBe(0);
    expect(await live(web, tokens)).toBe('live');
    expect(await silently(agent, web)).toBe('code');
    const bare = await logout(createUserAgent(deployment));
    expect([bare.status, bare.url]).toEqual([200, `${deployment.issuer}/oauth2/logout/success`]);
    const odd = await logout(createUserAgent(deployment), { post_logout_redirect_uri: signedOutUri });
    expect(odd.url).toBe(`${deployment.issuer}/oauth2/logout/success`);
  });

  test('does nothing without the form of this session', async () => {
    const tokens = await web.signIn(agent, { scope: allScopes });
    const thief = createUserAgent(deployment);
    await web.signIn(thief, { scope: allScopes });
    const theirs = await logout(thief);
    await logout(agent);
    const sent = await agent.submit({ ...theirs, url: theirs.url }, yes);
    expect(sent.status).toBe(400);
    expect(await live(web, tokens)).toBe('live');
    expect(await silently(agent, web)).toBe('code');
  });
});

describe('the redirect after sign-out', () => {
  let agent: UserAgent;
  let tokens: Tokens;
  beforeAll(async () => {
    agent = createUserAgent(deployment);
    tokens = await web.signIn(agent, { scope: allScopes });
  });
  const asked = (parameters: Record<string, string>) =>
    logout(copyOf(deployment, agent), { id_token_hint: tokens.id_token ?? '', ...parameters });

  test.each([
    [signedOutUri, 'a b&c', `${signedOutUri}?state=a+b%26c`],
    [signedOutUri, undefined, signedOutUri],
    [withQuery, 'x', `${withQuery}&state=x`],
  ])('%s, state %s: to %s', async (uri, state, expected) => {
    const visitor = createUserAgent(deployment);
    const { id_token = '' } = await web.signIn(visitor, { scope: allScopes });
    const page = await logout(visitor, {
      id_token_hint: id_token,
      post_logout_redirect_uri: uri,
      ...(state === undefined ? {} : { state }),
    });
    const { url } = await visitor.submit(page, yes);
    expect(new URL(url).href).toBe(new URL(expected).href);
  });

  test.each([
    `${signedOutUri}/`,
    `${signedOutUri}?a=b`,
    `${signedOutUri}#`,
    signedOutUri.toUpperCase(),
    'http://localhost:8080/',
    'http://localhost:8080/signed-out/../signed-out',
    'http://localhost:8081/signed-out',
    'https://evil.example/',
    'javascript:alert(1)',
    'http://localhost:8080/%73igned-out',
  ])('%s is not registered: an error page without a form', async (uri) => {
    const page = await asked({ post_logout_redirect_uri: uri });
    expect(page.status).toBe(400);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.html).not.toContain('<form');
  });

  test('without a client there is no redirect', async () => {
    const visitor = createUserAgent(deployment);
    await web.signIn(visitor, { scope: allScopes });
    const page = await logout(visitor, { post_logout_redirect_uri: signedOutUri });
    const left = await visitor.submit(page, yes);
    expect(new URL(left.url).origin).toBe(deployment.issuer);
    expect(left.status).toBe(200);
  });

  test.each<[string, (token: string) => string]>([
    ['signed by another key under our kid', forged],
    ['whose claims were changed', (token) => withClaims(token, { aud: 'other' })],
    ['without a signature', (token) => `${token.split('.').slice(0, 2).join('.')}.`],
    ['that is none', () => 'nonsense'],
  ])('a hint %s is refused', async (_, change) => {
    const page = await asked({ id_token_hint: change(tokens.id_token ?? '') });
    expect(page.status).toBe(400);
    expect(page.html).not.toContain('<form');
  });

  test("an access token or another client's id token is no valid hint", async () => {
    expect((await asked({ id_token_hint: tokens.access_token })).status).toBe(400);
    expect((await asked({ client_id: 'other' })).status).toBe(400);
    expect(await live(web, tokens)).toBe('live');
  });
});

describe('another person in the same browser', () => {
  test('signs the first person out and ends their families', async () => {
    const second = await newPerson(deployment);
    const agent = createUserAgent(deployment);
    const own = createApp(deployment, 'own');
    const first = await own.signIn(agent, { scope: allScopes });
    const form = await agent.get(own.authorizationUrl({ prompt: 'login', scope: allScopes }));
    // The library sends a form that scripts would submit, to sign the first person out.
    let page: Page = await agent.submit(form, { ...second });
    for (let forms = 0; page.status === 200 && forms < 3; forms += 1) page = await agent.submit(page, {});
    const code = new URL(await signInAndAgree(agent, page, demo)).searchParams.get('code') ?? '';
    const { body } = await own.redeem(code);
    expect(decodeJwt(String(body.access_token)).claims.email).toBe(second.email);
    expect(await live(own, first)).toBe('dead');
    expect(await refreshes(own, first)).toBe(400);
  });
});

function withClaims(token: string, changes: object): string {
  const [header, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
  return [
    header,
    Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url'),
    signature,
  ].join('.');
}

function forged(token: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signed = token.split('.').slice(0, 2).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}
