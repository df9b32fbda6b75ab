import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

interface PublishedEvent {
  id: string;
  type: string;
  time: string;
  version: number;
  subject: string;
  data: Record<string, unknown>;
}

describe('events on standard output, of two processes', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ env: { GATEHOUSE_EVENTS_SINK: 'stdout' } });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const eventsOf = (address: string): PublishedEvent[] =>
    deployment.programs
      .flatMap((program) => program.output().split('\n'))
      .filter((line) => line.startsWith('{"id":"evt_'))
      .map((line) => JSON.parse(line) as PublishedEvent)
      .filter(({ data }) => data.email === address);
  /** All that was written by now is published; what comes later isn't of this test. */
  const allPublished = () =>
    waitFor(
      async () => {
        const text = await (await fetch(`${deployment.opsOrigins[0]}/metrics`)).text();
        return /^gatehouse_outbox_pending 0$/m.test(text);
      },
      { timeoutMs: 30_000, what: 'an empty outbox' },
    );

  test('an account and its sign-in are told once each, with who, when and from where', async () => {
    const bob = { email: 'bob@example.com', password: 'a-fine-long-password' };
    const before = Date.now();
    await postJson(deployment, '/auth/register', bob);
    await postJson(deployment, '/auth/register', bob);
    const answer = await postJson(deployment, '/auth/login', bob, { 'user-agent': 'a-test/1.0' });
    const { accessToken } = (await answer.json()) as { accessToken: string };
    await allPublished();

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
      { ...common, type: 'user.created', data: { id, email: bob.email, ip: '127.0.0.1' } },
      { ...common, type: 'user.login', data: { id, email: bob.email, ...login } },
    ]);
    for (const { time } of events) {
      expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
    }
  });

  test('every door tells of a sign-in; a refresh, single sign-on and a failure tell nothing', async () => {
    await allPublished();
    const known = new Set(eventsOf(demo.email).map(({ id }) => id));
    const web = createTestClient(deployment, demoApps.web);
    const firstParty = createTestClient(deployment, demoApps.firstParty);
    const credentials = { grant_type: 'password', username: demo.email, password: demo.password };

    const agent = createUserAgent(deployment);
    const tokens = await web.signIn(agent);
    const { refreshToken } = await apiLogin(deployment);
    expect((await firstParty.post('token', credentials)).status).toBe(200);

    await web.signIn(agent);
    await firstParty.signIn(agent);
    expect((await web.refresh(tokens.refresh_token)).status).toBe(200);
    expect((await postJson(deployment, '/auth/refresh', { refreshToken })).status).toBe(200);
    await postJson(deployment, '/auth/login', { email: demo.email, password: 'wrong' });
    await firstParty.post('token', { ...credentials, password: 'wrong' });
    const page = await createUserAgent(deployment).get(web.authorizationUrl());
    expect(page.status).toBe(200);
    await allPublished();

    const fresh = eventsOf(demo.email).filter(({ id }) => !known.has(id));
    expect(fresh.map(({ type, data }) => [type, data.clientId]).sort()).toEqual([
      ['user.login', 'demo-first-party'],
      ['user.login', 'demo-first-party'],
      ['user.login', 'demo-web'],
    ]);
    expect(new Set(fresh.map(({ id }) => id)).size).toBe(3);
  });

  test('the demo account was made once', async () => {
    await allPublished();
    const created = eventsOf(demo.email).filter(({ type }) => type === 'user.created');
    expect(created).toHaveLength(1);
  });
});
