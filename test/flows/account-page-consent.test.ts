import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { AccountChange } from '../../provider/ports/account-store.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import type { TestClient, Tokens } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { codeOf, formOf, formsOf, headingOf, noticeOf, rowsOf } from './account-pages.ts';
import { allScopes, appDocument, createApp, offline, standing } from './apps.ts';

const clients = [
  appDocument('web', { name: 'Contracts & more' }),
  appDocument('other'),
  appDocument('own', { firstParty: true }),
];

const asksAgain = async (app: TestClient, agent: UserAgent) =>
  (await agent.get(app.authorizationUrl({ scope: allScopes }))).html.includes('name="decision"');

const refreshed = async (app: TestClient, { refresh_token }: Tokens) => {
  const { status, body } = await app.refresh(refresh_token);
  return [status, body.error];
};

describe('consent, over two processes', () => {
  let deployment: Deployment;
  let web: TestClient;
  beforeAll(async () => {
    deployment = await startServers({ clients });
    web = createApp(deployment, 'web');
  }, 120_000);
  afterAll(() => deployment?.stop());

  let person: Person;
  let agent: UserAgent;
  beforeEach(async () => {
    person = await newPerson(deployment);
    agent = createUserAgent(deployment);
    await openAccount(deployment, agent, person);
  });
  const account = (): Promise<Page> => agent.get(`${deployment.issuer}/account`);
  const withdraw = async () => agent.submit(formOf(await account(), 'withdraw', 'value="web"'), {});

  test('the account page shows a consent in the words of the consent page, and lists no first-party app', async () => {
    expect((await account()).html).toContain('You have given no app access to your account.');
    await web.signIn(agent, { scope: 'openid email contracts:read' }, person);
    await createApp(deployment, 'own').signIn(agent, { scope: allScopes }, person);
    const page = await account();
    const rows = rowsOf(page, 'consented');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(
      /^Contracts &amp; more Recognize you when you sign in See your email address In .*: Read your contracts Since \d{4}-\d\d-\d\d \d\d:\d\d UTC Withdraw$/,
    );
  });

  test('after a withdrawal the app asks again, and everything issued under the consent is dead on every process', async () => {
    const kept = await createApp(deployment, 'other').signIn(agent, offline, person);
    const tokens = [
      await web.signIn(agent, { scope: allScopes }, person),
      await web.signIn(agent, offline, person),
    ];
    const code = await web.code(agent, { scope: allScopes }, person);
    for (const { access_token } of tokens) expect(await standing(deployment, web, access_token)).toBe('live');

    const after = await withdraw();
    expect(noticeOf(after)).toBe('The app has no access any more.');
    expect(rowsOf(after, 'consented').map((row) => row.split(' ')[0])).toEqual(['other']);
    expect(rowsOf(after, 'places')).toHaveLength(2);
    for (const { access_token } of tokens) expect(await standing(deployment, web, access_token)).toBe('dead');
    for (const each of tokens) expect(await refreshed(web, each)).toEqual([400, 'invalid_grant']);
    expect((await web.redeem(code)).body.error).toBe('invalid_grant');
    expect(await asksAgain(web, agent)).toBe(true);
    expect(await standing(deployment, createApp(deployment, 'other'), kept.access_token)).toBe('live');
    expect(await refreshed(createApp(deployment, 'other'), kept)).toEqual([200, undefined]);

    const next = await web.signIn(agent, { scope: allScopes }, person);
    expect(await standing(deployment, web, next.access_token)).toBe('live');
    expect(await refreshed(web, next)).toEqual([200, undefined]);
    for (const { access_token } of tokens) expect(await standing(deployment, web, access_token)).toBe('dead');
    for (const each of tokens) expect(await refreshed(web, each)).toEqual([400, 'invalid_grant']);
  });

  test('a withdrawal can be repeated; one for an app without consent changes nothing', async () => {
    await web.signIn(agent, { scope: allScopes }, person);
    const form = formOf(await account(), 'withdraw', 'value="web"');
    await agent.submit(form, {});
    expect(noticeOf(await agent.submit(form, {}))).toBe('The app had no access any more.');
    const stranger = await newPerson(deployment);
    const theirs = createUserAgent(deployment);
    const tokens = await web.signIn(theirs, offline, stranger);
    for (const client of ['web', 'nobody', 'own', '\u0000'])
      expect(noticeOf(await agent.submit(form, { client }))).toBe('The app had no access any more.');
    expect(await standing(deployment, web, tokens.access_token)).toBe('live');
  });

  test('a withdrawal during refreshes and redemptions leaves no live token', async () => {
    for (let round = 0; round < 4; round += 1) {
      const families: Tokens[] = [];
      for (let count = 0; count < 6; count += 1) families.push(await web.signIn(agent, offline, person));
      const codes: string[] = [];
      for (let count = 0; count < 3; count += 1)
        codes.push(await web.code(agent, { scope: allScopes }, person));
      const form = formOf(await account(), 'withdraw', 'value="web"');
      const [answers] = await Promise.all([
        Promise.all([
          ...families.map(({ refresh_token }) => web.refresh(refresh_token)),
          ...codes.map((code) => web.redeem(code)),
        ]),
        agent.submit(form, {}),
      ]);
      const issued = answers
        .filter(({ status }) => status === 200)
        .map(({ body }) => body as unknown as Tokens);
      for (const { status, body } of answers)
        if (status !== 200) expect([status, body.error]).toEqual([400, 'invalid_grant']);
      // The person agrees again at once. That must not revive earlier tokens.
      await web.signIn(agent, { scope: allScopes }, person);
      for (const tokens of issued) {
        expect(await standing(deployment, web, tokens.access_token)).toBe('dead');
        expect(await refreshed(web, tokens)).toEqual([400, 'invalid_grant']);
      }
    }
  });
});

describe('in this process', () => {
  let deployment: InProcess;
  let web: TestClient;
  beforeAll(async () => {
    // The time doesn't move. Consents of the same millisecond must be distinguished too.
    deployment = await startInProcess(clients, { GATEHOUSE_SIGNUP: 'true' });
    web = createApp(deployment, 'web');
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('tokens issued before a withdrawal stay dead, even if the list of sign-ins was lost', async () => {
    const person = await newPerson(deployment);
    const agent = createUserAgent(deployment);
    await openAccount(deployment, agent, person);
    const tokens = [
      await web.signIn(agent, { scope: allScopes }, person),
      await web.signIn(agent, offline, person),
    ];
    const code = await web.code(agent, { scope: allScopes }, person);
    const { id } = (await deployment.ports.accounts.findByEmail(person.email)) ?? { id: '' };
    for (const entry of await deployment.ports.accountIndex.list(id))
      await deployment.ports.accountIndex.remove(id, entry.id);
    const page = await agent.get(`${deployment.issuer}/account`);
    expect(rowsOf(page, 'places')).toHaveLength(1);
    await agent.submit(formOf(page, 'withdraw', 'value="web"'), {});
    const next = await web.signIn(agent, offline, person);
    for (const each of tokens) {
      expect(await standing(deployment, web, each.access_token)).toBe('dead');
      expect(await refreshed(web, each)).toEqual([400, 'invalid_grant']);
    }
    expect((await web.redeem(code)).body.error).toBe('invalid_grant');
    expect(await standing(deployment, web, next.access_token)).toBe('live');
    // The entries of the denylist expire no sooner than the tokens they revoke.
    deployment.advance(16 * 60);
    for (const each of tokens) {
      expect(await standing(deployment, web, each.access_token)).toBe('dead');
      expect(await refreshed(web, each)).toEqual([400, 'invalid_grant']);
    }
    expect(await refreshed(web, next)).toEqual([200, undefined]);
  });

  test('a withdrawn app isn’t shown among the sign-ins, even if the list could not be updated', async () => {
    const person = await newPerson(deployment);
    const agent = createUserAgent(deployment);
    await openAccount(deployment, agent, person);
    await web.signIn(agent, offline, person);
    const page = await agent.get(`${deployment.issuer}/account`);
    expect(rowsOf(page, 'places')).toHaveLength(2);
    const list = jest.spyOn(deployment.ports.accountIndex, 'list').mockRejectedValueOnce(new Error('away'));
    const after = await agent.submit(formOf(page, 'withdraw', 'value="web"'), {});
    list.mockRestore();
    expect(noticeOf(after)).toBe('The app has no access any more.');
    expect(rowsOf(after, 'places')).toHaveLength(1);
  });

  test.each<[string, AccountChange]>([
    ['was disabled', { state: 'disabled' }],
    ['was signed out everywhere by an operator', { raiseTokenVersion: true }],
  ])('a person who %s gets no account page, and the forms are refused', async (_, changes) => {
    const person = await newPerson(deployment);
    const agent = createUserAgent(deployment);
    const form = formOf(await openAccount(deployment, agent, person), 'sign-out-everywhere');
    const account = await deployment.ports.accounts.findByEmail(person.email);
    await deployment.unitOfWork.run(({ accounts }) => accounts.update(account?.id ?? '', changes, 0));
    expect(headingOf(await agent.get(`${deployment.issuer}/account`))).toBe('Sign in');
    expect(codeOf(await agent.submit(form, {}))).toBe('session_ended');
    expect(codeOf(await agent.get(`${deployment.issuer}/account/signed-in`))).toBe('sign_in_incomplete');
    const now = await deployment.ports.accounts.findByEmail(person.email);
    expect(now?.tokenVersion).toBe((account?.tokenVersion ?? 0) + (changes.raiseTokenVersion ? 1 : 0));
  });

  test('consent to more scopes keeps earlier tokens alive', async () => {
    const person = await newPerson(deployment);
    const agent = createUserAgent(deployment);
    await openAccount(deployment, agent, person);
    const first = await web.signIn(agent, { scope: 'openid profile' }, person);
    const page = await agent.get(web.authorizationUrl({ scope: allScopes }));
    await agent.submit(page, { decision: 'allow' });
    expect(await standing(deployment, web, first.access_token)).toBe('live');
    expect(await refreshed(web, first)).toEqual([200, undefined]);
    expect(formsOf(await agent.get(`${deployment.issuer}/account`), 'withdraw')).toHaveLength(1);
  });
});
