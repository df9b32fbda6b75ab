import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { metric, metricsOf } from '../support/metrics.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { withHeaders } from '../support/wrapped-deployment.ts';
import { formOf } from './account-pages.ts';
import { tally } from './apps.ts';
import { addressIn, from, fromAnywhere, right, tryPassword } from './limits-world.ts';

const { email, password } = demo;
const crowd = 16;

/** One slow hash at a time, and a queue of one. */
const env = {
  GATEHOUSE_HASHING_CONCURRENCY: '1',
  GATEHOUSE_HASHING_QUEUE: '1',
  GATEHOUSE_ARGON2_MEMORY_KIB: '65536',
  GATEHOUSE_ARGON2_PASSES: '8',
};

describe('more sign-ins than passwords can be hashed', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    const started = await startServers({ processes: 1, redis: false, env: { ...env, ...fromAnywhere } });
    // Each request comes from a different address, so that no rate limit applies.
    let turn = 0;
    deployment = withHeaders(started, () => from(addressIn(turn++)));
  }, 120_000);
  afterAll(() => deployment?.stop());

  const login = () => postJson(deployment, '/auth/login', { email, password });

  test('passwords are hashed on threads with a lower priority, where the system shows threads', () => {
    const { pid } = deployment.programs[0] ?? {};
    const folder = `/proc/${pid}/task`;
    const niceness = (id: string) => {
      const stat = readFileSync(`${folder}/${id}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
    };
    const threads = existsSync(folder) ? readdirSync(folder) : [];
    expect(threads.filter((id) => id === String(pid) && niceness(id) !== 0)).toEqual([]);
    expect(threads.some((id) => niceness(id) === 10)).toBe(existsSync(folder));
  });

  test('at /auth/login some succeed, and others get 503 with Retry-After', async () => {
    const answers = await atOnce(crowd, login);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(crowd);
    for (const answer of refused) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({ code: 'overloaded', status: 503 });
    }
  });

  test('at the token endpoint some succeed, and others get an error of the protocol with Retry-After', async () => {
    const client = createTestClient(deployment, demoApps.firstParty);
    const answers = await atOnce(crowd, () => client.passwordGrant());
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(crowd);
    for (const { status, headers, body } of refused) {
      expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  test('on the account page some succeed, and others get the form with an error', async () => {
    const agent = createUserAgent(deployment);
    const page = await openAccount(deployment, agent, demo);
    const passwords = { currentPassword: 'not this one', newPassword: 'a walk along the river' };
    // Fewer than the tries that the browser has.
    const tries = 9;
    const answers = await atOnce(tries, () => agent.submit(formOf(page, 'password'), passwords));
    const refused = answers.filter(({ status }) => status !== 400);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(tries);
    for (const { status, headers, html } of refused) {
      expect(status).toBe(503);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(html).toContain('role="alert">It can’t be done right now.');
      expect(html).not.toContain(passwords.newPassword);
    }
  });

  test('requests without a hash still work', async () => {
    const { refreshToken } = await apiLogin(deployment);
    let over = false;
    const logins = atOnce(crowd, login).finally(() => {
      over = true;
    });
    const discovery = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    const refreshed = await postJson(deployment, '/auth/refresh', { refreshToken });
    expect([discovery.status, refreshed.status, over]).toEqual([200, 200, false]);
    await logins;
  });

  test('the sign-in page shows the error, and keeps the typed address but not the password', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const agent = createUserAgent(deployment);
    const page = await agent.get(web.authorizationUrl());
    const logins = atOnce(crowd, login);
    const answers = await atOnce(crowd, () => agent.submit(page, { email, password }));
    await logins;
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    for (const { html, headers } of refused) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(html).toContain(email);
      expect(html).not.toContain(password);
    }
  });

  test('afterwards sign-in works, and the refusals were counted', async () => {
    await apiLogin(deployment);
    const [metrics] = await metricsOf(deployment);
    expect(metrics).toMatch(/gatehouse_sign_ins_total\{outcome="overloaded"\} [1-9]/);
    expect(metrics).toMatch(/gatehouse_hashing_queue_depth 0\n/);
    expect(deployment.programs[0]?.output()).not.toContain('"level":"error"');
  });
});

describe('one caller with many sign-ins', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    const settings = { ...env, ...fromAnywhere, GATEHOUSE_HASHING_QUEUE: '40', GATEHOUSE_ARGON2_PASSES: '3' };
    deployment = await startServers({ processes: 1, redis: false, env: settings });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('does not make others wait for its turn, although all its passwords are right', async () => {
    const neighbour = await newPerson(deployment);
    let done = 0;
    const answers = Array.from({ length: 16 }, async (_, index) => {
      const answer = await tryPassword(deployment, addressIn(2, 1 + (index % 2)), right);
      done += 1;
      return answer.status;
    });
    const depth = () => metric(deployment, 'gatehouse_hashing_queue_depth');
    await waitFor(async () => (await depth()) >= 10, { what: 'the crowd to wait' });
    const before = done;
    const { status } = await tryPassword(deployment, addressIn(3), neighbour);
    // The one that was being hashed, and one that started at the same moment.
    expect([status, done - before <= 2]).toEqual([200, true]);
    expect(done).toBeLessThan(answers.length);
    expect(tally(await Promise.all(answers))).toEqual({ 200: 16 });
  });
});
