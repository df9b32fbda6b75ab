import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { authenticatorOf, recoveryCodesOf } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { callJsonApi, comparable, getProfile, postJson } from '../support/json-api.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { askForMail, forgotLink, recoveryMail } from '../support/recovery.ts';
import { newPerson, openAccount, signedInBrowser, silently } from '../support/sign-in.ts';
import { decodeJwt, type TestClient } from '../support/test-client.ts';
import {
  createUserAgent,
  hiddenField,
  type Page,
  type Person,
  type UserAgent,
} from '../support/user-agent.ts';
import { headingOf, noticeOf, wrongOf } from './account-pages.ts';
import { appDocument, createApp } from './apps.ts';

jest.setTimeout(120_000);

const newPassword = 'a longer walk along the river';

let mails: MailServer;
let deployment: InProcess;
let web: TestClient;
let vault: TestClient;
let person: Person;

const own = { auth: 'none', firstParty: true, grants: ['password', 'refresh_token'], redirectUris: [] };

beforeAll(async () => {
  mails = await startMailServer();
  const clients = [
    appDocument('web', { firstParty: true }),
    appDocument('vault', { firstParty: true, requireSecondFactor: true }),
    appDocument('api', own),
  ];
  deployment = await startInProcess(clients, {
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_DEFAULT_CLIENT: 'api',
    ...mails.settings,
    GATEHOUSE_LANGUAGES: 'en de',
  });
  web = createApp(deployment, 'web');
  vault = createApp(deployment, 'vault');
});
afterAll(async () => {
  await deployment?.stop();
  await mails?.close();
});
beforeEach(async () => {
  person = await newPerson(deployment);
});

const browser = () => createUserAgent(deployment);
const ask = (agent: UserAgent, email = person.email) => askForMail(agent, deployment.issuer, email);
const mailOf = (email = person.email, count = 1) => recoveryMail(mails, email, count);
const accountOf = async (email = person.email) => {
  const account = await deployment.ports.accounts.findByEmail(email);
  if (!account) throw new Error('no account');
  return account;
};
const signIn = (password: string, email = person.email) =>
  callJsonApi(deployment, '/auth/login', { email, password });
const codeOf = ({ url }: Page) => new URL(url).searchParams.get('code');
const tokenIn = (url: string) => new URL(url).searchParams.get('token') ?? '';

describe('on the pages', () => {
  test('the sign-in page leads to a mail, whose link sets a new password and leads back to the app', async () => {
    const agent = browser();
    const signInPage = await agent.get(web.authorizationUrl());
    const askPage = await agent.get(forgotLink(signInPage) ?? '');
    expect(headingOf(askPage)).toBe('Forgot your password?');
    const sent = await agent.submit(askPage, { email: person.email });
    expect(headingOf(sent)).toBe('Check your mail');
    const { url } = await mailOf();
    expect(url.startsWith(`${deployment.issuer}/recover/password?`)).toBe(true);
    const form = await agent.get(url);
    expect(headingOf(form)).toBe('Choose a new password');
    const back = await agent.submit(form, { newPassword });
    expect(headingOf(back)).toBe('Sign in');
    expect(noticeOf(back)).toBe('Your password is changed. Sign in with the new one.');
    const end = await agent.submit(back, { email: person.email, password: newPassword });
    expect(codeOf(end)).toBeTruthy();
    expect((await signIn(person.password)).body.code).toBe('invalid_credentials');
  });

  test('the link works in another browser, which gets a page that says what to do', async () => {
    const agent = browser();
    await agent.submit(await agent.get(forgotLink(await agent.get(web.authorizationUrl())) ?? ''), {
      email: person.email,
    });
    const phone = browser();
    const done = await phone.submit(await phone.get((await mailOf()).url), { newPassword });
    expect(headingOf(done)).toBe('Your password is changed');
    expect(new URL(done.url).pathname).toBe('/recover/done');
    expect((await signIn(newPassword)).status).toBe(200);
  });

  test('the code of the mail works on the page that asked', async () => {
    const agent = browser();
    const sent = await ask(agent);
    const { code } = await mailOf();
    const form = await agent.submit(sent, { code: code.toLowerCase().replace('-', ' ') });
    expect(headingOf(form)).toBe('Choose a new password');
    const done = await agent.submit(form, { newPassword });
    expect(headingOf(done)).toBe('Your password is changed');
    expect((await signIn(newPassword)).status).toBe(200);
  });

  test('the code of a mail is refused on a page that asked for another mail', async () => {
    await ask(browser());
    const { code } = await mailOf();
    const stranger = browser();
    const other = await newPerson(deployment);
    const page = await stranger.submit(await ask(stranger, other.email), { code });
    expect(page.status).toBe(400);
    expect(wrongOf(page)).toMatch(/^This code is wrong or too old/);
  });

  test('after five wrong codes the right one is refused, and the link still works', async () => {
    const agent = browser();
    const sent = await ask(agent);
    const { code, url } = await mailOf();
    for (let time = 0; time < 5; time += 1) await agent.submit(sent, { code: 'BBBB-BBBB' });
    expect((await agent.submit(sent, { code })).status).toBe(400);
    await agent.submit(await agent.get(url), { newPassword });
    expect((await signIn(newPassword)).status).toBe(200);
  });

  test('a program that opens every link spends nothing', async () => {
    await ask(browser());
    const { url } = await mailOf();
    for (const method of ['HEAD', 'GET', 'GET', 'GET'])
      expect((await deployment.fetch(url, { method, headers: { accept: 'text/html' } })).status).toBe(200);
    expect((await signIn(person.password)).status).toBe(200);
    const agent = browser();
    await agent.submit(await agent.get(url), { newPassword });
    expect((await signIn(newPassword)).status).toBe(200);
  });

  test('of parallel forms with one token exactly one sets its password', async () => {
    await ask(browser());
    const { url } = await mailOf();
    const passwords = Array.from({ length: 5 }, (_, index) => `a longer walk along river ${index}`);
    const pages = await Promise.all(
      passwords.map(async (password) => {
        const agent = browser();
        return agent.submit(await agent.get(url), { newPassword: password });
      }),
    );
    expect(pages.filter((page) => headingOf(page) === 'Your password is changed')).toHaveLength(1);
    const signIns = await Promise.all(passwords.map((password) => signIn(password)));
    expect(signIns.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('a link that was used, replaced, made up or is too old says what to do and changes nothing', async () => {
    const agent = browser();
    await ask(agent);
    const first = await mailOf();
    await ask(agent);
    const second = await mailOf(person.email, 2);
    const useless = async (url: string) => {
      const page = await agent.get(url);
      expect(page.status).toBe(400);
      expect(wrongOf(page)).toMatch(/^This link was used already/);
      expect(page.html).not.toContain(tokenIn(url));
      // The page asks for the address again.
      expect(page.html).toContain('name="email"');
    };
    await useless(first.url);
    await useless(`${deployment.issuer}/recover/password?token=made-up`);
    const form = await agent.get(second.url);
    await agent.submit(form, { newPassword });
    await useless(second.url);
    const again = await agent.submit(form, { newPassword: 'yet another walk in the rain' });
    expect(wrongOf(again)).toMatch(/^This link was used already/);
    expect((await signIn(newPassword)).status).toBe(200);
    await ask(agent);
    const { url } = await mailOf(person.email, 4);
    deployment.advance(30 * 60);
    await useless(url);
  });

  test('a password that breaks the rules spends nothing, and the page says what is wrong', async () => {
    const agent = browser();
    await ask(agent);
    const form = await agent.get((await mailOf()).url);
    const refused = await agent.submit(form, { newPassword: 'short' });
    expect(refused.status).toBe(400);
    expect(wrongOf(refused)).toMatch(/^Use at least \d+ characters/);
    expect(refused.html).toContain(person.email);
    const done = await agent.submit(refused, { newPassword });
    expect(headingOf(done)).toBe('Your password is changed');
  });

  test('it works while the browser has a session of another account, which stays', async () => {
    const other = await newPerson(deployment);
    const agent = await signedInBrowser(deployment, other);
    await ask(agent);
    const done = await agent.submit(await agent.get((await mailOf()).url), { newPassword });
    expect(headingOf(done)).toBe('Your password is changed');
    const account = await agent.get(`${deployment.issuer}/account`);
    expect(account.html).toContain(other.email);
    expect((await signIn(newPassword)).status).toBe(200);
  });

  test('a form that another site sends is refused', async () => {
    const body = new URLSearchParams({ email: person.email });
    const headers = { origin: 'https://evil.example', accept: 'text/html' };
    const answer = await deployment.fetch(`${deployment.issuer}/recover`, { method: 'POST', body, headers });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('form_expired');
  });

  test('the page of the link names its address to no server', async () => {
    await ask(browser());
    const { url } = await mailOf();
    const page = await browser().get(url);
    expect(page.headers.get('referrer-policy')).toBe('strict-origin');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.getSetCookie()).toEqual([]);
  });

  test('pages and mail have the language of the app, also on another device', async () => {
    const agent = browser();
    const signInPage = await agent.get(web.authorizationUrl({ ui_locales: 'de' }));
    const askPage = await agent.get(forgotLink(signInPage) ?? '');
    expect(headingOf(askPage)).toBe('Passwort vergessen?');
    const sent = await agent.submit(askPage, { email: person.email });
    expect(headingOf(sent)).toBe('Sehen Sie in Ihre E-Mails');
    const { url, text } = await mailOf();
    expect(text).toContain('Link und Code gelten 30 Minuten');
    const phone = browser();
    const form = await phone.get(url);
    expect(headingOf(form)).toBe('Neues Passwort wählen');
    expect(headingOf(await phone.submit(form, { newPassword }))).toBe('Ihr Passwort ist geändert');
  });
});

describe('a new password', () => {
  async function recover(email = person.email): Promise<void> {
    const before = mails.to(email).length;
    const agent = browser();
    await ask(agent, email);
    const { url } = await mailOf(email, before + 1);
    await agent.submit(await agent.get(url), { newPassword });
  }

  test('ends every session and every token', async () => {
    const agent = await signedInBrowser(deployment, person);
    const { body } = await signIn(person.password);
    const { accessToken, refreshToken } = body as unknown as { accessToken: string; refreshToken: string };
    const profile = async () => (await getProfile(deployment, accessToken)).status;
    expect([await profile(), await silently(agent, web)]).toEqual([200, 'code']);
    await recover();
    expect(await profile()).toBe(401);
    expect((await callJsonApi(deployment, '/auth/refresh', { refreshToken })).body.code).toBe(
      'invalid_grant',
    );
    expect(await silently(agent, web)).toBe('login_required');
  });

  test('causes a mail to the address, and verifies it', async () => {
    const { emailVerified } = await accountOf();
    expect(emailVerified).toBe(false);
    await recover();
    const [, told] = await mails.until(person.email, 2);
    expect(told?.header('Subject')).toEqual(['Gatehouse: your password was changed']);
    expect((await accountOf()).emailVerified).toBe(true);
    const { body } = await signIn(newPassword);
    expect(decodeJwt(String(body.accessToken)).claims.email_verified).toBe(true);
  });

  test('keeps the second factor: the next sign-in asks for its code', async () => {
    const agent = browser();
    const page = await agent.submit(await agent.get(vault.authorizationUrl()), { ...person });
    const app = authenticatorOf(page);
    const shown = await agent.submit(page, { code: app.code() });
    expect(recoveryCodesOf(shown)).toHaveLength(10);
    deployment.advance(60);
    await recover();
    const next = browser();
    const asked = await next.submit(await next.get(web.authorizationUrl()), {
      email: person.email,
      password: newPassword,
    });
    expect(headingOf(asked)).toBe('Enter the code');
    expect(codeOf(await next.submit(asked, { code: app.code() }))).toBeTruthy();
  });

  test('lets a person in whose tries at the old password are used up', async () => {
    for (let time = 0; time < 12; time += 1) await signIn('not the password');
    expect((await signIn(person.password)).status).toBe(429);
    await recover();
    expect((await signIn(newPassword)).status).toBe(200);
  });

  test('is the first one of an account that has none', async () => {
    const email = `no-password-${person.email}`;
    await deployment.unitOfWork.run(async ({ accounts }) => {
      const { passwordHash: _, ...account } = await accountOf();
      await accounts.insert({ ...account, id: `${account.id}x`, email });
    });
    await recover(email);
    expect((await signIn(newPassword, email)).status).toBe(200);
  });

  test('is refused if the account was disabled or got another password since the mail', async () => {
    const agent = browser();
    await ask(agent);
    const form = await agent.get((await mailOf()).url);
    const { id } = await accountOf();
    const now = Date.now();
    await deployment.unitOfWork.run(({ accounts }) => accounts.update(id, { raiseTokenVersion: true }, now));
    expect(wrongOf(await agent.submit(form, { newPassword }))).toMatch(/^This link was used already/);
    expect((await signIn(person.password)).status).toBe(200);
  });
});

describe('by the JSON API', () => {
  const request = (email = person.email, more: object = {}) =>
    callJsonApi(deployment, '/auth/recover', { email, ...more });
  const set = (body: object) => callJsonApi(deployment, '/auth/recover/password', body);

  test('the code of the mail and the flow set a new password', async () => {
    const { status, body } = await request();
    expect({ status, said: body.status }).toEqual({ status: 202, said: 'accepted' });
    const { code } = await mailOf();
    const refused = await set({ flow: body.flow, code, newPassword: 'short' });
    expect(refused).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect((await set({ flow: body.flow, code, newPassword })).status).toBe(204);
    expect((await signIn(newPassword)).status).toBe(200);
    const again = await set({ flow: body.flow, code, newPassword });
    expect(again).toMatchObject({ status: 400, body: { code: 'invalid_one_time_token' } });
  });

  test('so does the token of the link', async () => {
    await request(person.email, { language: 'de' });
    const { url, text } = await mailOf();
    expect(text).toContain('Link und Code gelten');
    expect((await set({ token: tokenIn(url), newPassword })).status).toBe(204);
    expect((await signIn(newPassword)).status).toBe(200);
  });

  test('a request needs either a token, or a flow and a code', async () => {
    for (const body of [{}, { flow: 'f' }, { token: 't', flow: 'f', code: 'c' }])
      expect((await set({ ...body, newPassword })).body.code).toBe('validation_failed');
  });
});

describe('an address without an account', () => {
  /** Everything that could show a difference. */
  const rows = async () => JSON.stringify(await deployment.ports.mails.depth());

  test('gets the same answers as one with an account, and leaves no mail and no token', async () => {
    const disabled = await newPerson(deployment);
    const { id } = await accountOf(disabled.email);
    const now = Date.now();
    await deployment.unitOfWork.run(({ accounts }) => accounts.update(id, { state: 'disabled' }, now));
    const unknown = `nobody-${person.email}`;
    const said = async (email: string) => {
      const api = await comparable(await postJson(deployment, '/auth/recover', { email }));
      const agent = browser();
      const sent = await ask(agent, email);
      const wrong = await agent.submit(sent, { code: 'BBBB-BBBB' });
      const text = JSON.stringify([api, sent.status, sent.html, wrong.status, wrong.html]);
      return text
        .replaceAll(email, '<address>')
        .replaceAll(encodeURIComponent(email), '<address>')
        .replaceAll(hiddenField(sent, 'flow'), '<flow>')
        .replace(/"flow\\":\\"[\w-]{43}/, '<flow>');
    };
    const answer = await said(person.email);
    await mails.until(person.email, 2);
    const before = await rows();
    expect(await said(unknown)).toBe(answer);
    expect(await said(disabled.email)).toBe(answer);
    expect(await rows()).toBe(before);
    expect(mails.to(unknown)).toEqual([]);
    expect(mails.to(disabled.email)).toEqual([]);
  });

  test('gets its answer at the same step of time', async () => {
    const timeOf = async (email: string) => {
      const startedAt = performance.now();
      await callJsonApi(deployment, '/auth/recover', { email });
      return performance.now() - startedAt;
    };
    // The answer waits for the next full second.
    for (const email of [person.email, `nobody-${person.email}`])
      expect(await timeOf(email)).toBeGreaterThan(990);
  });

  test('a text that is no address is refused at once', async () => {
    const { status, body } = await callJsonApi(deployment, '/auth/recover', { email: 'no address' });
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'validation_failed' });
    const page = await ask(browser(), 'no address');
    expect(wrongOf(page)).toBe('Enter an email address like name@example.com.');
  });
});

describe('the limits', () => {
  test('an address that asked too often gets no further mail, and the answer is the same', async () => {
    const answers = [];
    for (let time = 0; time < 4; time += 1) answers.push(await request());
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    const other = await newPerson(deployment);
    await callJsonApi(deployment, '/auth/recover', { email: other.email });
    await mails.until(other.email, 1);
    expect(mails.to(person.email)).toHaveLength(3);
    // The newest mail that was sent is still good.
    const agent = browser();
    const done = await agent.submit(await agent.get((await mailOf(person.email, 3)).url), { newPassword });
    expect(headingOf(done)).toBe('Your password is changed');
    async function request() {
      return callJsonApi(deployment, '/auth/recover', { email: person.email });
    }
  });
});

test('expired tokens are swept', async () => {
  await ask(browser());
  await mailOf();
  deployment.advance(31 * 60);
  const sweep = async () => {
    let swept = 0;
    for (const expired of deployment.ports.expired) swept += await expired.sweep(1000, Date.now());
    return swept;
  };
  expect(await sweep()).toBeGreaterThan(0);
  await openAccount(deployment, browser(), person);
});
