import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, getProfile, postJson } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

type Line = Record<string, unknown>;

describe('log lines, events and metrics of requests', () => {
  let deployment: Deployment;
  let accountId: string;
  beforeAll(async () => {
    deployment = await startServers({
      env: { GATEHOUSE_READINESS_BLIP_SECONDS: '1', GATEHOUSE_GRACE_SECONDS: '1' },
    });
    const { accessToken } = await apiLogin(deployment);
    accountId = String(decodeJwt(accessToken).claims.sub);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const web = () => createTestClient(deployment, demoApps.web);
  const post = (path: string, body: object) => postJson(deployment, path, body);
  /** All output lines of all processes: log lines and events. */
  const lines = () =>
    deployment.programs.flatMap((program): Line[] =>
      program
        .stdout()
        .split('\n')
        .flatMap((line) => (/^\{.*\}$/.test(line) ? [JSON.parse(line)] : [])),
    );
  const logged = (message: string) => lines().filter(({ msg }) => msg === message);
  const lineOf = async (requestId: string | null) => {
    const found = () => logged('request').filter((line) => line.requestId === requestId);
    await waitFor(() => found().length > 0, { what: 'the request in the log' });
    return found()[0] as Line;
  };
  /** The events of a type in order of time, because each process may have published them. */
  const events = (type: string) =>
    lines()
      .filter((line) => line.type === type && line.subject !== undefined)
      .sort((one, other) => (String(one.time) < String(other.time) ? -1 : 1));
  const told = async (type: string, count = 1) => {
    await waitFor(() => events(type).length >= count, { what: `${count} of ${type}` });
    return events(type);
  };
  test('the log line of a request has client and account as soon as they are known', async () => {
    const { email, password } = demo;
    const login = await post('/auth/login', { email, password });
    const known = { clientId: demoApps.firstParty.id, accountId };
    expect(await lineOf(login.headers.get('x-request-id'))).toMatchObject({ ...known, level: 'info' });
    const tokens = (await login.json()) as { accessToken: string };
    const profile = await getProfile(deployment, tokens.accessToken);
    expect(await lineOf(profile.headers.get('x-request-id'))).toMatchObject(known);
    const wrong = await post('/auth/login', { email, password: 'wrong' });
    const line = await lineOf(wrong.headers.get('x-request-id'));
    expect(line).toMatchObject({ clientId: demoApps.firstParty.id, status: '401' });
    expect(line).not.toHaveProperty('accountId');
    const token = await web().post('token', { grant_type: 'authorization_code', code: 'made-up' });
    const requestId = token.headers.get('x-request-id');
    expect(await lineOf(requestId)).toMatchObject({ clientId: demoApps.web.id, status: '400' });
    expect(logged('protocol request refused').find((each) => each.requestId === requestId)).toMatchObject({
      level: 'info',
      kind: 'token',
      clientId: demoApps.web.id,
    });
  });

  test('a consent, a sign-in and a logout write events with actor and address', async () => {
    const agent = createUserAgent(deployment);
    const tokens = await web().signIn(agent, { scope: 'openid email' });
    const [granted] = await told('consent.granted');
    const origin = { actor: accountId, ip: '127.0.0.1' };
    expect(granted).toMatchObject({
      subject: accountId,
      data: { id: accountId, clientId: 'demo-web', scopes: ['openid', 'email'], audiences: [], ...origin },
    });
    const hint = `id_token_hint=${tokens.id_token}`;
    const page = await agent.get(`${deployment.issuer}/oauth2/logout?${hint}`);
    await agent.submit(page, { logout: 'yes' });
    const [ended] = await told('session.ended');
    expect(ended?.data).toEqual({
      id: accountId,
      sessionId: expect.stringMatching(/^[\w-]{22}$/),
      ...origin,
    });
  });

  test('an ended family and a reused token write one event each', async () => {
    const { refreshToken } = await apiLogin(deployment);
    await post('/auth/logout', { refreshToken });
    await post('/auth/logout', { refreshToken });
    const data = (familyId: string) => ({
      id: accountId,
      clientId: demoApps.firstParty.id,
      familyId,
      ip: '127.0.0.1',
    });
    const [ended] = await told('family.ended');
    expect(ended).toMatchObject({ subject: accountId, data: data(refreshToken.split('.')[0] ?? '') });

    const stolen = (await apiLogin(deployment)).refreshToken;
    const use = () => post('/auth/refresh', { refreshToken: stolen });
    const first = await (await use()).json();
    expect(await (await use()).json()).toEqual(first);
    expect(await metric(deployment, 'gatehouse_refresh_tokens_repeated_total', 'outcome="answered"')).toBe(1);
    const familyId = stolen.split('.')[0];
    expect(logged('refresh token repeated')).toMatchObject([
      { level: 'info', outcome: 'answered', clientAddress: '127.0.0.1', familyId },
    ]);
    await waitFor(async () => (await use()).status === 401, { what: 'the end of the grace' });
    await use();
    const [reused] = await told('token.reuse_detected');
    expect(reused).toMatchObject({ subject: accountId, data: data(stolen.split('.')[0] ?? '') });
    expect(await metric(deployment, 'gatehouse_refresh_tokens_reused_total')).toBe(1);
    expect([events('family.ended').length, events('token.reuse_detected').length]).toEqual([1, 1]);
    expect(logged('refresh token reused, family ended')).toMatchObject([
      { level: 'warn', clientAddress: '127.0.0.1' },
    ]);
  });

  test('both processes together write one event for the current clients and keys, and one for a change', async () => {
    const ids = ['demo-first-party', 'demo-service', 'demo-spa', 'demo-web'];
    const source = expect.any(String);
    const [first] = await told('clients.changed');
    expect(first?.data).toEqual({ source, added: ids, changed: [], removed: [] });
    const [keys] = await told('keys.changed');
    expect(keys?.data).toEqual({ added: [expect.any(String)], changed: [], removed: [] });

    const path = join(deployment.folder, 'clients.yaml');
    const { clients } = parse(await readFile(path, 'utf8')) as { clients: { id: string; name: string }[] };
    const other = clients.filter(({ id }) => id !== 'demo-service');
    await writeFile(
      path,
      stringify({ clients: other.map((client) => ({ ...client, name: `New ${client.name}` })) }),
    );
    const [, second] = await told('clients.changed', 2);
    const changed = ids.filter((id) => id !== 'demo-service');
    expect(second?.data).toEqual({ source, added: [], changed, removed: ['demo-service'] });
    // When both processes have the change, no event is left to write.
    await waitFor(async () => (await metric(deployment, 'gatehouse_clients_loaded')) === 6);
    await apiLogin(deployment);
    expect([events('clients.changed').length, events('keys.changed').length]).toEqual([2, 1]);
  });

  test('metrics count the requests', async () => {
    const moved: [string, ...string[]][] = [
      ['gatehouse_store_call_duration_seconds_count', 'store="redis"', 'operation="families.open"'],
      ['gatehouse_store_call_duration_seconds_count', 'store="postgres"', 'operation="accounts.findByEmail"'],
      ['gatehouse_interactions_total', 'prompt="login"', 'outcome="started"'],
      ['gatehouse_interactions_total', 'prompt="login"', 'outcome="completed"'],
      ['gatehouse_interactions_total', 'prompt="consent"', 'outcome="completed"'],
      ['gatehouse_outbox_events_total', 'outcome="published"'],
      ['gatehouse_outbox_lag_seconds_count'],
      ['gatehouse_dependency_up', 'dependency="postgres"'],
      ['gatehouse_dependency_up', 'dependency="redis"'],
      ['gatehouse_tokens_issued_total', 'grant="authorization_code"'],
    ];
    for (const [name, ...labels] of moved)
      expect([name, labels, await metric(deployment, name, ...labels)]).not.toEqual([name, labels, 0]);
    const perProcess = deployment.programs.length;
    expect(await metric(deployment, 'gatehouse_keys', 'state="signing"')).toBe(perProcess);
    expect(await metric(deployment, 'gatehouse_keys', 'state="retired"')).toBe(0);
    expect(await metric(deployment, 'gatehouse_store_errors_total')).toBe(0);
  });

  test('a person who does not agree is counted', async () => {
    const agent = createUserAgent(deployment);
    const spa = createTestClient(deployment, demoApps.spa);
    const page = await agent.get(spa.authorizationUrl({ scope: 'openid profile' }));
    const { email, password } = demo;
    const consent = await agent.submit(page, { email, password });
    await agent.submit(consent, { decision: 'deny' });
    expect(
      await metric(deployment, 'gatehouse_interactions_total', 'prompt="consent"', 'outcome="refused"'),
    ).toBe(1);
  });

  test('no request is logged as an error', () => {
    expect(lines().filter(({ level }) => level === 'error')).toEqual([]);
  });
});
