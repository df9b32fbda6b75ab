import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { getUserinfo, postJson } from '../support/json-api.ts';
import { type PublishedEvent, publishedEvents } from '../support/published-events.ts';
import { signOut } from '../support/sign-in.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type TestClient,
  type Tokens,
} from '../support/test-client.ts';
import { cookieHeader, createUserAgent, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

describe('single sign-on', () => {
  let deployment: Deployment;
  let web: TestClient;
  let spa: TestClient;
  let ours: TestClient;
  let agent: UserAgent;
  beforeAll(async () => {
    deployment = await startServers({ env: { GATEHOUSE_EVENTS_SINK: 'stdout' } });
    web = createTestClient(deployment, demoApps.web);
    spa = createTestClient(deployment, demoApps.spa);
    ours = createTestClient(deployment, demoApps.firstParty);
  }, 120_000);
  afterAll(() => deployment?.stop());
  beforeEach(() => {
    agent = createUserAgent(deployment);
  });

  const claimsOf = ({ access_token }: Tokens) => decodeJwt(access_token).claims;
  const isLive = async ({ access_token }: Pick<Tokens, 'access_token'>) =>
    (await getUserinfo(deployment, access_token)).status === 200;
  const refreshes = async (client: TestClient, tokens: Tokens) => {
    const { status, body } = await client.refresh(tokens.refresh_token);
    return status === 200 ? 'refreshed' : body.error;
  };
  const byPrompt = async (client: TestClient, parameters: object) => {
    const page = await agent.get(client.authorizationUrl({ ...parameters }));
    const code = new URL(await signInAndAgree(agent, page, demo)).searchParams.get('code');
    return (await client.redeem(String(code))).body as unknown as Tokens;
  };

  test('one sign-in serves every app; a third party only needs consent', async () => {
    const first = await web.signIn(agent);
    const page = await agent.get(spa.authorizationUrl({ scope: 'openid email' }));
    expect(page.html).not.toContain('name="password"');
    const second = await spa.signIn(agent, { scope: 'openid email' });
    const straight = await agent.get(ours.authorizationUrl());
    expect(straight.url).toContain(`${ours.redirectUri}?code=`);
    const third = await ours.signIn(agent);
    expect(new Set([first, second, third].map((tokens) => claimsOf(tokens).sub)).size).toBe(1);
  });

  test('every sign-in starts a new family, at the same or another app', async () => {
    const all = [
      await web.signIn(agent),
      await web.signIn(agent),
      await spa.signIn(agent),
      await ours.signIn(agent),
    ];
    expect(new Set(all.map((tokens) => claimsOf(tokens).family)).size).toBe(4);
    const [first, second, third, fourth] = all as [Tokens, Tokens, Tokens, Tokens];
    await web.post('revoke', { token: first.refresh_token });
    expect(await isLive(first)).toBe(false);
    expect(await refreshes(web, first)).toBe('invalid_grant');
    for (const tokens of [second, third, fourth]) expect(await isLive(tokens)).toBe(true);
    expect(await refreshes(web, second)).toBe('refreshed');
    expect(await refreshes(spa, third)).toBe('refreshed');
    expect(await refreshes(ours, fourth)).toBe('refreshed');
  });

  test('a session has a different sid at each app, and the same sid at one app', async () => {
    const [one, again, other] = [await web.signIn(agent), await web.signIn(agent), await spa.signIn(agent)];
    expect(claimsOf(again).sid).toBe(claimsOf(one).sid);
    expect(claimsOf(other).sid).not.toBe(claimsOf(one).sid);
    expect(claimsOf(await web.signIn(createUserAgent(deployment))).sid).not.toBe(claimsOf(one).sid);
  });

  test('a new sign-in or consent in the session ends no older family', async () => {
    const oldest = await web.signIn(agent);
    const older = await byPrompt(web, { prompt: 'login' });
    const newer = await byPrompt(web, { prompt: 'consent', scope: 'openid email' });
    const newest = await byPrompt(web, { prompt: 'consent', scope: 'openid profile contracts:read' });
    for (const tokens of [oldest, older, newer, newest]) {
      expect(await isLive(tokens)).toBe(true);
      expect(await refreshes(web, tokens)).toBe('refreshed');
    }
  });

  test('sign-out at one app ends the session and its families at all apps', async () => {
    const all = [await web.signIn(agent), await spa.signIn(agent), await ours.signIn(agent)] as const;
    const elsewhere = await web.signIn(createUserAgent(deployment));
    await signOut(deployment, agent, { id_token_hint: all[0].id_token ?? '' });
    for (const tokens of all) expect(await isLive(tokens)).toBe(false);
    expect(await refreshes(web, all[0])).toBe('invalid_grant');
    expect(await refreshes(spa, all[1])).toBe('invalid_grant');
    expect(await refreshes(ours, all[2])).toBe('invalid_grant');
    expect((await agent.get(web.authorizationUrl({ prompt: 'none' }))).url).toContain('error=login_required');
    expect(await isLive(elsewhere)).toBe(true);
    expect(await refreshes(web, elsewhere)).toBe('refreshed');
  });

  test('a new sign-in after sign-out in one browser doesn’t revive the old families', async () => {
    const before = await web.signIn(agent);
    await signOut(deployment, agent);
    const after = await web.signIn(agent);
    expect(claimsOf(after).sid).not.toBe(claimsOf(before).sid);
    expect([await isLive(before), await refreshes(web, before)]).toEqual([false, 'invalid_grant']);
    expect([await isLive(after), await refreshes(web, after)]).toEqual([true, 'refreshed']);
  });

  test('only a checked password is published as user.login', async () => {
    const startedAt = new Date().toISOString();
    const [tokens] = [await spa.signIn(agent), await web.signIn(agent), await ours.signIn(agent)];
    expect(await refreshes(spa, tokens)).toBe('refreshed');
    await ours.signIn(createUserAgent(deployment));
    const told = () => loginsIn(deployment).filter(({ time }) => time >= startedAt);
    // One person's events come in order, so after the last one no other follows.
    await waitFor(() => told().some(({ data }) => data.clientId === ours.id), {
      what: 'the last user.login',
    });
    expect(told().map(({ data }) => data.clientId)).toEqual([spa.id, ours.id]);
  });

  test('/auth/login neither starts nor uses a session', async () => {
    await web.signIn(agent);
    const cookie = cookieHeader(agent);
    const { email, password } = demo;
    const login = await postJson(deployment, '/auth/login', { email, password }, { cookie });
    expect([login.status, login.headers.getSetCookie()]).toEqual([200, []]);
    const { accessToken } = (await login.json()) as { accessToken: string };
    expect(decodeJwt(accessToken).claims).not.toHaveProperty('sid');
    await signOut(deployment, agent);
    expect(await isLive({ access_token: accessToken })).toBe(true);
  });
});

/** The `user.login` events that the processes published so far, each once, in order of time. */
function loginsIn(deployment: Deployment): PublishedEvent[] {
  const logins = publishedEvents(deployment).filter(({ type }) => type === 'user.login');
  return [...new Map(logins.map((event) => [event.id, event])).values()];
}
