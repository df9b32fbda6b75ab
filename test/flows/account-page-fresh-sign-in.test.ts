import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Authenticator, authenticatorOf, recoveryCodesOf } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { formOf, formsOf, headingOf, noticeOf } from './account-pages.ts';

let deployment: InProcess;
let person: Person;
let agent: UserAgent;
beforeAll(async () => {
  deployment = await startInProcess([], { GATEHOUSE_SIGNUP: 'true' });
}, 120_000);
afterAll(() => deployment?.stop());
beforeEach(async () => {
  person = await newPerson(deployment);
  agent = createUserAgent(deployment);
});

const open = () => agent.get(`${deployment.issuer}/account`);
const next = 'a longer walk along the river';
const change = (page: Page) =>
  agent.submit(formOf(page, 'password'), { currentPassword: person.password, newPassword: next });
const addApp = (page: Page) =>
  agent.submit(formOf(page, 'second-factor'), { action: 'add', factorPassword: person.password });
const link = ({ html }: Page, text: string) => {
  const [, href = ''] =
    [...html.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].find(([, , shown]) => shown === text) ?? [];
  return href.replaceAll('&amp;', '&');
};
const asksPassword = ({ html }: Page) => html.includes('name="password"');
const asksCode = ({ html }: Page) => html.includes('Enter the code');

/** Adds an authenticator app on the account page. The session has signed in with the password alone. */
async function enrolled(): Promise<Authenticator> {
  const offer = await addApp(await openAccount(deployment, agent, person));
  const app = authenticatorOf(offer);
  expect(recoveryCodesOf(await agent.submit(offer, { code: app.code() }))).toHaveLength(10);
  deployment.advance(60);
  return app;
}

test('after ten minutes the page shows links to a new sign-in instead of these forms, and comes back with the forms', async () => {
  const fresh = await openAccount(deployment, agent, person);
  expect([formsOf(fresh, 'password'), formsOf(fresh, 'second-factor')].map((all) => all.length)).toEqual([
    1, 1,
  ]);
  deployment.advance(601);
  const old = await open();
  expect([formsOf(old, 'password'), formsOf(old, 'second-factor')]).toEqual([[], []]);
  expect(formsOf(old, 'sign-out-everywhere')).toHaveLength(1);
  const asked = await agent.get(link(old, 'Sign in again to change the password'));
  expect(asksPassword(asked)).toBe(true);
  const back = await agent.submit(asked, { ...person });
  expect(back.url).toBe(`${deployment.issuer}/account#password`);
  expect(noticeOf(back)).toBe('You signed in again. Now you can make the change.');
  expect(headingOf(await change(back))).toBe('Your password is changed');
});

test('a form that was shown in time is accepted for five more minutes, and then leads to a new sign-in', async () => {
  const shown = await openAccount(deployment, agent, person);
  deployment.advance(899);
  expect((await agent.submit(formOf(shown, 'password'), { currentPassword: 'wrong' })).status).toBe(400);
  deployment.advance(2);
  const asked = await change(shown);
  expect(asksPassword(asked)).toBe(true);
  const back = await agent.submit(asked, { ...person });
  expect(noticeOf(back)).toBe('You signed in again. Now you can make the change.');
  // Nothing of the old form was kept: the password is still the same.
  const other = createUserAgent(deployment);
  expect(headingOf(await openAccount(deployment, other, person))).toBe('Your account');
});

test('every form that changes how a person signs in needs the fresh sign-in, and the others do not', async () => {
  const shown = await openAccount(deployment, agent, person);
  deployment.advance(901);
  expect(asksPassword(await change(shown))).toBe(true);
  expect(asksPassword(await addApp(shown))).toBe(true);
  expect(headingOf(await agent.submit(formOf(shown, 'sign-out-everywhere'), {}))).toBe(
    'You’re signed out everywhere',
  );
});

test('a sign-in without the second factor of the account is not enough, however fresh it is', async () => {
  const app = await enrolled();
  const page = await open();
  expect(formsOf(page, 'second-factor')).toEqual([]);
  const asked = await agent.get(link(page, 'Sign in again to change the second factor'));
  const second = asksPassword(asked) ? await agent.submit(asked, { ...person }) : asked;
  expect(asksCode(second)).toBe(true);
  const back = await agent.submit(second, { code: app.code() });
  expect(back.url).toBe(`${deployment.issuer}/account#second-factor`);
  const removed = await agent.submit(formOf(back, 'second-factor'), {
    action: 'remove',
    factorPassword: person.password,
  });
  expect(noticeOf(removed)).toContain('is removed');
});

test('an old sign-in of an account with a second factor asks for the password and the code', async () => {
  const app = await enrolled();
  deployment.advance(601);
  const asked = await agent.get(link(await open(), 'Sign in again to change the password'));
  expect(asksPassword(asked)).toBe(true);
  const second = await agent.submit(asked, { ...person });
  expect(asksCode(second)).toBe(true);
  const back = await agent.submit(second, { code: app.code() });
  expect(headingOf(await change(back))).toBe('Your password is changed');
});

test('a person who cancels the new sign-in comes back to the page without the forms', async () => {
  await openAccount(deployment, agent, person);
  deployment.advance(601);
  const asked = await agent.get(link(await open(), 'Sign in again to change the password'));
  const cancel = /<form[^>]*action="[^"]*\/cancel[^"]*"[\s\S]*?<\/form>/.exec(asked.html)?.[0] ?? '';
  const back = await agent.submit({ ...asked, html: cancel }, {});
  expect(back.url).toBe(`${deployment.issuer}/account`);
  expect([headingOf(back), noticeOf(back), formsOf(back, 'password')]).toEqual([
    'Your account',
    undefined,
    [],
  ]);
});
