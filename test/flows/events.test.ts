import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { allPublished } from '../support/metrics.ts';
import { type PublishedEvent, publishedEvents } from '../support/published-events.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

describe('events on standard output, of two processes', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ env: { GATEHOUSE_EVENTS_SINK: 'stdout' } });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const eventsOf = (address: string): PublishedEvent[] =>
    publishedEvents(deployment).filter(({ data }) => data.email === address);
  /** Everything that is written by now is published. Later events belong to other tests. */
  const untilPublished = () =>
    waitFor(() => allPublished(deployment), { timeoutMs: 30_000, what: 'an empty outbox' });

  test('an account and its sign-in are published once each, with account, time and address', async () => {
    const bob = { email: 'bob@example.com', password: 'a-fine-long-password' };
    const before = Date.now();
    await postJson(deployment, '/auth/register', bob);
    await postJson(deployment, '/auth/register', bob);
    const answer = await postJson(deployment, '/auth/login', bob, { 'user-agent': 'a-test/1.0' });
    const { accessToken } = (await answer.json()) as { accessToken: string };
    await untilPublished();

    const id = String(decodeJwt(accessToken).claims.sub);
    const events = eventsOf(bob.email);
    const common = {
      id: expect.stringMatching(/^evt_[\w-]{22}$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      version: 1,
      subject: id,
    };
    const login = { clientId: 'demo-first-party', ip: '127.0.0.1', userAgent: 'a-test/1.0' };
    expect(events.sort((one, other) => one.type.localeCompare(other.type))).toEqual([
      { ...common, sequence: 1, type: 'user.created', data: { id, email: bob.email, ip: '127.0.0.1' } },
      { ...common, sequence: 2, type: 'user.login', data: { id, email: bob.email, ...login } },
    ]);
    for (const { time } of events) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
    }
  });

  test('every way to sign in publishes an event; a refresh, single sign-on and a failure publish none', async () => {
    await untilPublished();
    const known = new Set(eventsOf(demo.email).map(({ id }) => id));
    const web = createTestClient(deployment, demoApps.web);
    const firstParty = createTestClient(deployment, demoApps.firstParty);

    const agent = createUserAgent(deployment);
    const tokens = await web.signIn(agent);
    const { refreshToken } = await apiLogin(deployment);
    expect((await firstParty.passwordGrant()).status).toBe(200);

    await web.signIn(agent);
    await firstParty.signIn(agent);
    expect((await web.refresh(tokens.refresh_token)).status).toBe(200);
    expect((await postJson(deployment, '/auth/refresh', { refreshToken })).status).toBe(200);
    await postJson(deployment, '/auth/login', { email: demo.email, password: 'wrong' });
    await firstParty.passwordGrant({ password: 'wrong' });
    const page = await createUserAgent(deployment).get(web.authorizationUrl());
    expect(page.status).toBe(200);
    await untilPublished();

    const fresh = eventsOf(demo.email).filter(({ id }) => !known.has(id));
    expect(fresh.map(({ type, data }) => [type, data.clientId]).sort()).toEqual([
      ['user.login', 'demo-first-party'],
      ['user.login', 'demo-first-party'],
      ['user.login', 'demo-web'],
    ]);
    expect(new Set(fresh.map(({ id }) => id)).size).toBe(3);
  });

  test('a server creates no account: only operators and people who sign up do', async () => {
    await untilPublished();
    const created = publishedEvents(deployment).filter(({ type }) => type === 'user.created');
    expect(created.length).toBeGreaterThan(0);
    for (const { data } of created)
      expect([data.email, data.actor ?? data.ip]).toEqual(
        data.email === demo.email ? [demo.email, 'operator'] : ['bob@example.com', '127.0.0.1'],
      );
  });

  test('the demo account is created once', async () => {
    await untilPublished();
    const created = eventsOf(demo.email).filter(({ type }) => type === 'user.created');
    expect(created).toHaveLength(1);
  });
});
