import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { callJsonApi } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { publishedEvents } from '../support/published-events.ts';
import { newPerson, openAccount, signedInBrowser, silently } from '../support/sign-in.ts';
import type { TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { codeOf, formOf, headingOf, rowsOf } from './account-pages.ts';
import { appDocument, createApp, offline, standing, tally } from './apps.ts';

const next = 'a longer walk along the river';

let deployment: Deployment;
let web: TestClient;
beforeAll(async () => {
  deployment = await startServers({
    clients: [appDocument('web')],
    env: { GATEHOUSE_EVENTS_SINK: 'stdout' },
  });
  web = createApp(deployment, 'web');
}, 120_000);
afterAll(() => deployment?.stop());

let person: Person;
let agent: UserAgent;
let page: Page;
beforeEach(async () => {
  person = await newPerson(deployment);
  agent = createUserAgent(deployment);
  page = await openAccount(deployment, agent, person);
});

const change = (currentPassword: string, newPassword: string) =>
  agent.submit(formOf(page, 'password'), { currentPassword, newPassword });
const signIn = async (password: string) =>
  (await callJsonApi(deployment, '/auth/login', { ...person, password })).status;
const problemOf = ({ html }: Page) =>
  /<p class="wrong" id="(?<field>\w+)-error">(?<message>[^<]*)</.exec(html)?.groups;

test('a new password signs out every browser, this one included, and replaces the old password', async () => {
  const other = await signedInBrowser(deployment, person);
  const tokens = await web.signIn(agent, offline, person);
  const gone = await change(person.password, next);
  expect([gone.url, headingOf(gone)]).toEqual([
    `${deployment.issuer}/account/signed-out`,
    'Your password is changed',
  ]);
  for (const browser of [agent, other])
    for (const _process of deployment.origins) expect(await silently(browser, web)).toBe('login_required');
  expect(await standing(deployment, web, tokens.access_token)).toBe('dead');
  expect((await web.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  expect([await signIn(person.password), await signIn(next)]).toEqual([401, 200]);
  const back = await openAccount(deployment, agent, { ...person, password: next });
  // The JSON API's sign-in above is the other row.
  expect(rowsOf(back, 'places')).toHaveLength(2);
  const types = () =>
    publishedEvents(deployment)
      .filter(({ data }) => data.email === person.email)
      .map(({ type, data }) => [type, data.actor === data.id]);
  await waitFor(async () => types().some(([type]) => type === 'user.password_changed'), {
    timeoutMs: 30_000,
    what: 'the event',
  });
  expect(types()).toContainEqual(['user.password_changed', true]);
});

test.each([
  ['', next, 'currentPassword', 'Enter your current password.'],
  ['not this one', next, 'currentPassword', 'This isn’t your current password. Try again.'],
  ['x'.repeat(2000), next, 'currentPassword', 'This isn’t your current password. Try again.'],
  ['a quiet evening in', '', 'newPassword', 'Enter a new password.'],
  ['a quiet evening in', 'short', 'newPassword', 'Use at least 15 characters.'],
  ['not this one', 'short', 'newPassword', 'Use at least 15 characters.'],
  ['a quiet evening in', 'x'.repeat(257), 'newPassword', 'Use at most 256 characters.'],
  [
    'a quiet evening in',
    'passwordpassword',
    'newPassword',
    'This password is easy to guess. Choose another one.',
  ],
  [
    'a quiet evening in',
    'a quiet evening in',
    'newPassword',
    'That is the password you have. Choose another one.',
  ],
])('%.20s, then %.20s, is refused at %s: %s', async (current, wanted, field, message) => {
  const answer = await change(current, wanted);
  expect([answer.status, problemOf(answer)]).toEqual([400, { field, message }]);
  expect(answer.html).toMatch(new RegExp(`id="${field}"[^>]*aria-invalid="true"[^>]*autofocus`));
  for (const typed of [current, wanted])
    if (typed !== '') expect(answer.html).not.toContain(`value="${typed}"`);
  expect(await silently(agent, web)).not.toBe('login_required');
  expect(await signIn(person.password)).toBe(200);
  // The form on the answer works without a reload.
  expect(
    headingOf(
      await agent.submit(formOf(answer, 'password'), { currentPassword: person.password, newPassword: next }),
    ),
  ).toBe('Your password is changed');
});

test('an event reports each action on the account page, with the account that acted', async () => {
  await web.signIn(agent, offline, person);
  const at = () => agent.get(`${deployment.issuer}/account`);
  await agent.submit(formOf(await at(), 'withdraw'), {});
  await agent.submit(formOf(await at(), 'sign-out-everywhere'), {});
  const told = () => {
    const events = publishedEvents(deployment);
    const id = events.find(({ data }) => data.email === person.email)?.subject;
    return events.filter(({ subject }) => subject === id);
  };
  await waitFor(async () => told().some(({ type }) => type === 'session.ended'), {
    timeoutMs: 30_000,
    what: 'the events',
  });
  const [{ subject: id } = { subject: '' }] = told();
  const origin = { id, actor: id, ip: '127.0.0.1' };
  expect(told().map(({ type, data }) => [type, data])).toEqual([
    ['user.created', expect.anything()],
    ['user.login', expect.objectContaining({ id, clientId: 'gatehouse-account' })],
    ['consent.granted', expect.objectContaining({ ...origin, clientId: 'web' })],
    ['consent.withdrawn', { ...origin, clientId: 'web' }],
    ['family.ended', expect.objectContaining({ ...origin, clientId: 'web' })],
    ['user.signed_out_everywhere', { ...origin, email: person.email }],
    ['session.ended', expect.objectContaining(origin)],
  ]);
});

test('of parallel password changes one succeeds, and the others get an error', async () => {
  const browsers = [agent];
  while (browsers.length < 6) browsers.push(await signedInBrowser(deployment, person));
  const pages = await Promise.all(browsers.map((browser) => browser.get(`${deployment.issuer}/account`)));
  const wanted = browsers.map((_, index) => `${next} ${index}`);
  const answers = await Promise.all(
    browsers.map((browser, index) =>
      browser.submit(formOf(pages[index] ?? page, 'password'), {
        currentPassword: person.password,
        newPassword: wanted[index] ?? '',
      }),
    ),
  );
  const done = answers.map((answer) => codeOf(answer) ?? headingOf(answer));
  expect(tally(done)).toEqual({ 'Your password is changed': 1, session_ended: 5 });
  const statuses = await Promise.all(wanted.map(signIn));
  expect(statuses.indexOf(200)).toBe(done.indexOf('Your password is changed'));
  expect(tally(statuses)).toEqual({ 200: 1, 401: 5 });
  expect(await signIn(person.password)).toBe(401);
});

test('guesses at the current password and guesses at sign-in share one count, and are answered at a step', async () => {
  const startedAt = performance.now();
  expect((await change('a guess', next)).status).toBe(400);
  // A timer may be a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThan(998);
  // The same browser, at the sign-in page.
  const form = await agent.get(web.authorizationUrl({ prompt: 'login' }));
  const guesses = await Promise.all(
    Array.from({ length: 9 }, () => [
      change('a guess', next),
      agent.submit(form, { ...person, password: 'a guess' }),
    ]).flat(),
  );
  // On a slow machine, waits of 1, 3, 7 seconds pass meanwhile, and each allows one more guess.
  const waited = Math.floor(Math.log2((performance.now() - startedAt) / 1000 + 1));
  const { 400: tried = 0, 429: refused = 0 } = tally(guesses.map(({ status }) => status));
  expect(tried).toBeGreaterThanOrEqual(9);
  expect(tried).toBeLessThanOrEqual(9 + waited);
  expect(tried + refused).toBe(18);
  for (const { status, html } of guesses) expect(html.includes('Too many tries')).toBe(status === 429);
});

test('a wrong current password counts as a refused sign-in, and the log reports it without the password', async () => {
  const refused = () => metric(deployment, 'gatehouse_sign_ins_total', 'outcome="refused"');
  const before = await refused();
  await change('this was typed here', next);
  expect(await refused()).toBe(before + 1);
  const log = deployment.programs.map((program) => program.output()).join('\n');
  expect(log).toContain('password change refused');
  expect(log).not.toContain('this was typed here');
});
