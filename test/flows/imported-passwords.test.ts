import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { postJson } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { runToEnd } from '../support/program.ts';
import { createTestClient, demoApps, jsonAnswer } from '../support/test-client.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

/** Made by bcrypt 4.0.1 from 100 times x. It covers 72 of them. */
const longHash = '$2b$04$sIU6xYvohr39ekwC0UrBkO6vWjuiQOfy.7IiFbCIvL2EVKA1.BBdW';
const right = 'x'.repeat(100);
const wrongTail = `${'x'.repeat(72)} and something else`;
/** A check takes about a second. */
const costlyHash = longHash.replace('$04$', '$14$');
const people = ['page', 'api'].map((name) => `${name}@example.com`);
const slow = [1, 2, 3].map((number) => `slow${number}@example.com`);

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startServers({ processes: 1, env: { GATEHOUSE_HASHING_CONCURRENCY: '2' } });
  const lines = [
    ...people.map((email) => ({ email, emailVerified: true, passwordHash: longHash })),
    ...slow.map((email) => ({ email, passwordHash: costlyHash })),
  ];
  const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await runToEnd(['accounts', 'import', '-'], { env: deployment.env, cwd: deployment.folder, input });
}, 120_000);
afterAll(() => deployment?.stop());

const login = async (email: string, password: string) =>
  jsonAnswer(await postJson(deployment, '/auth/login', { email, password }));
const problemOf = ({ html }: Page) =>
  /<p class="wrong" id="(?<field>\w+)-error">(?<message>[^<]*)</.exec(html)?.groups;

test('a password that an imported hash covers only in part never becomes the new hash, and the API says so', async () => {
  const email = 'api@example.com';
  for (const password of [wrongTail, right, wrongTail, right]) {
    expect(await login(email, password)).toMatchObject({ status: 200, body: { newPasswordNeeded: true } });
  }
  const firstParty = createTestClient(deployment, demoApps.firstParty);
  const grant = { grant_type: 'password', username: email, password: right };
  expect(await firstParty.post('token', grant)).toMatchObject({
    status: 200,
    body: { new_password_needed: true },
  });
  const { body } = await login(demo.email, demo.password);
  expect(body).not.toHaveProperty('newPasswordNeeded');
});

test('the sign-in page asks for a new password then, and takes only a good one', async () => {
  const email = 'page@example.com';
  const app = createTestClient(deployment, demoApps.firstParty);
  const agent = createUserAgent(deployment);
  const first = await agent.get(app.authorizationUrl());
  expect(first.html).not.toContain('name="newPassword"');
  const asked = await agent.submit(first, { email, password: wrongTail });
  expect(asked).toMatchObject({ status: 200, html: expect.stringContaining('name="newPassword"') });
  expect(asked.html).toContain('choose a new one');
  expect(asked.html).not.toContain(wrongTail);

  const short = await agent.submit(asked, { email, password: wrongTail, newPassword: 'short' });
  expect(problemOf(short)).toEqual({ field: 'newPassword', message: expect.stringContaining('at least') });
  const none = await agent.submit(short, { email, password: wrongTail, newPassword: '' });
  expect(problemOf(none)).toEqual({ field: 'newPassword', message: 'Enter a new password.' });
  const same = await agent.submit(none, { email, password: right, newPassword: right });
  expect(problemOf(same)).toEqual({ field: 'newPassword', message: expect.stringContaining('you have') });
  const wrong = await agent.submit(same, { email, password: 'y', newPassword: 'a walk along the river' });
  expect(wrong).toMatchObject({ status: 400, html: expect.stringContaining('name="newPassword"') });
  expect((await login(email, right)).status).toBe(200);

  const ended = await agent.submit(wrong, { email, password: right, newPassword: 'a walk along the river' });
  const code = new URL(ended.url).searchParams.get('code') ?? '';
  expect(await app.redeem(code)).toMatchObject({ status: 200 });
  expect((await login(email, right)).status).toBe(401);
  const after = await login(email, 'a walk along the river');
  expect(after.status).toBe(200);
  expect(after.body).not.toHaveProperty('newPasswordNeeded');
});

test('costly checks of imported hashes leave room for other sign-ins', async () => {
  const started = () => metric(deployment, 'gatehouse_hashing_wait_seconds_count');
  const waited = () => metric(deployment, 'gatehouse_hashing_wait_seconds_sum');
  const before = { started: await started(), waited: await waited() };
  const guesses = slow.map((email) => login(email, 'a wrong guess'));
  await waitFor(async () => (await started()) > before.started, { what: 'the first costly check' });
  const others = await Promise.all([1, 2, 3].map(() => login(demo.email, demo.password)));
  expect(others.map(({ status }) => status)).toEqual([200, 200, 200]);
  const results = await Promise.all(guesses);
  expect(results.map(({ status }) => status)).toEqual([401, 401, 401]);
  // Sign-ins waited for each other at most. If costly checks held both slots, they would have waited for seconds.
  expect((await waited()) - before.waited).toBeLessThan(2);
}, 60_000);
