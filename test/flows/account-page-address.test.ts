import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { callJsonApi } from '../support/json-api.ts';
import { type MailServer, type ReceivedMail, startMailServer } from '../support/mail-server.ts';
import { newPerson, openAccount, signedInBrowser } from '../support/sign-in.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { formOf, formsOf, headingOf, noticeOf, wrongOf } from './account-pages.ts';
import { tally } from './apps.ts';

let deployment: InProcess;
let mails: MailServer;
let person: Person;
let agent: UserAgent;
beforeAll(async () => {
  mails = await startMailServer();
  deployment = await startInProcess([], {
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_MAIL: `smtp://127.0.0.1:${mails.port}`,
    GATEHOUSE_MAIL_FROM: 'Example Login <login@example.com>',
  });
}, 120_000);
afterAll(async () => {
  await deployment?.stop();
  await mails?.close();
});
beforeEach(async () => {
  person = await newPerson(deployment);
  agent = createUserAgent(deployment);
});

const freshAddress = () => `new-${Math.random().toString(36).slice(2)}@example.com`;
const ask = (page: Page, newEmail: string, browser = agent) =>
  browser.submit(formOf(page, 'address'), { newEmail, addressPassword: person.password });
const accountOf = (email: string) => deployment.ports.accounts.findByEmail(email);
const textOf = (mail: ReceivedMail | undefined) => mail?.part('text/plain') ?? '';
const subjectsTo = (address: string) => mails.to(address).map((mail) => mail.header('Subject')[0]);
const linkIn = (text: string, step: string) =>
  new RegExp(`https?:\\S+/account/address/${step}\\?\\S+`).exec(text)?.[0] ?? '';
const codeIn = (text: string) => /\b[B-Z]{4}-[B-Z]{4}\b/.exec(text)?.[0] ?? '';
const signsIn = async (email: string, password = person.password) => {
  const page = await openAccount(deployment, createUserAgent(deployment), { email, password });
  return headingOf(page) === 'Your account';
};

/** Asks for a new address and gives the mail to it. */
async function asked(to = freshAddress(), browser = agent, from = person.email) {
  const before = mails.to(to).length;
  await openAccount(deployment, browser, { ...person, email: from });
  const page = await ask(await browser.get(`${deployment.issuer}/account`), to, browser);
  expect(noticeOf(page)).toBe('We have sent a mail to the new address.');
  const text = textOf((await mails.until(to, before + 1)).at(-1));
  return { to, page, text, link: linkIn(text, 'confirm'), code: codeIn(text) };
}

/** Opens a link in a browser without a session and presses its button. */
async function press(link: string): Promise<Page> {
  const other = createUserAgent(deployment);
  return other.submit(await other.get(link), {});
}

/** Changes the address and gives the link that undoes it. */
async function changed(to = freshAddress(), from = person.email) {
  const before = mails.to(from).length;
  const { link } = await asked(to, agent, from);
  expect(headingOf(await press(link))).toBe('Your address is changed');
  const undo = textOf((await mails.until(from, before + 2)).find((mail) => linkIn(textOf(mail), 'undo')));
  return { to, undo: linkIn(undo, 'undo') };
}

describe('a new address', () => {
  test('is confirmed by the link of the mail, in any browser; until then nothing changes', async () => {
    const { to, link } = await asked();
    await mails.until(person.email, 1);
    expect(subjectsTo(person.email)).toEqual(['Gatehouse: a new address was requested']);
    expect(await accountOf(to)).toBeUndefined();
    expect(await signsIn(to)).toBe(false);
    const other = createUserAgent(deployment);
    for (let times = 0; times < 3; times += 1) {
      const shown = await other.get(link);
      expect([shown.status, headingOf(shown)]).toEqual([200, 'Confirm your new address']);
    }
    expect(await accountOf(to)).toBeUndefined();
    const done = await other.submit(await other.get(link), {});
    expect([done.status, headingOf(done)]).toEqual([200, 'Your address is changed']);
    expect(await accountOf(to)).toMatchObject({ email: to, emailVerified: true, tokenVersion: 0 });
    expect(await accountOf(person.email)).toBeUndefined();
    expect([await signsIn(to), await signsIn(person.email)]).toEqual([true, false]);
    // The session of the account page goes on, with the new address.
    expect((await agent.get(`${deployment.issuer}/account`)).html).toContain(`Signed in as <bdi>${to}</bdi>`);
    const notice = (await mails.until(person.email, 2)).at(-1);
    expect(textOf(notice)).toContain(to);
    expect(linkIn(textOf(notice), 'undo')).not.toBe('');
    const again = await other.get(link);
    expect([again.status, headingOf(again)]).toEqual([400, 'This link does not work any more']);
  });

  test('is confirmed by the code of the mail on the account page, and five wrong codes end the code', async () => {
    const { to, page, code } = await asked();
    expect(page.html).toContain(to);
    const typed = code.toLowerCase().replace('-', ' ');
    const wrong = await agent.submit(formOf(page, 'address-code'), { addressCode: 'BBBB-BBBB' });
    expect([wrong.status, wrongOf(wrong)]).toEqual([400, expect.stringContaining('wrong or too old')]);
    const done = await agent.submit(formOf(wrong, 'address-code'), { addressCode: typed });
    expect(noticeOf(done)).toBe('Your address is changed. From now on you sign in with it.');
    expect(await accountOf(to)).toMatchObject({ emailVerified: true });

    person = { ...person, email: to };
    const second = await asked();
    for (let times = 0; times < 5; times += 1)
      await agent.submit(formOf(second.page, 'address-code'), { addressCode: 'BBBB-BBBB' });
    const late = await agent.submit(formOf(second.page, 'address-code'), { addressCode: second.code });
    expect(late.status).toBe(400);
    expect(await accountOf(second.to)).toBeUndefined();
  });

  test('is not changed by a code of another account', async () => {
    const { page } = await asked();
    const thief = await newPerson(deployment);
    const other = await signedInBrowser(deployment, thief);
    const to = freshAddress();
    const mine = person;
    person = thief;
    const theirs = await asked(to, other, thief.email);
    person = mine;
    await agent.submit(formOf(page, 'address-code'), { addressCode: theirs.code });
    expect(await accountOf(to)).toBeUndefined();
  });

  test.each([
    ['', 'Enter your email address.'],
    ['jane', 'Enter an email address like name@example.com.'],
    ['jane@example.com, john@example.com', 'Enter an email address like name@example.com.'],
  ])('%p is refused: %s', async (typed, message) => {
    const page = await ask(await openAccount(deployment, agent, person), typed);
    expect([page.status, wrongOf(page)]).toEqual([400, message]);
    expect(mails.to(person.email)).toEqual([]);
  });

  test('is refused if the account has it already, in any spelling', async () => {
    const page = await ask(await openAccount(deployment, agent, person), person.email.toUpperCase());
    expect([page.status, wrongOf(page)]).toEqual([400, 'This is the address you have. Enter another one.']);
  });

  test('needs the current password and a fresh sign-in', async () => {
    const page = await openAccount(deployment, agent, person);
    const to = freshAddress();
    for (const addressPassword of ['', 'not the password'])
      expect((await agent.submit(formOf(page, 'address'), { newEmail: to, addressPassword })).status).toBe(
        400,
      );
    deployment.advance(901);
    const again = await ask(page, to);
    expect(again.html).toContain('name="password"');
    const back = await agent.submit(again, { ...person });
    expect(formsOf(back, 'address')).toHaveLength(1);
    expect(mails.to(to)).toEqual([]);
  });

  test('only the newest mail counts, for thirty minutes, and a new password ends it', async () => {
    const first = await asked();
    const second = await asked();
    expect(headingOf(await createUserAgent(deployment).get(first.link))).toBe(
      'This link does not work any more',
    );
    deployment.advance(1801);
    const late = await createUserAgent(deployment).get(second.link);
    expect(headingOf(late)).toBe('This link does not work any more');

    agent = await signedInBrowser(deployment, person);
    const third = await asked();
    const page = await agent.get(`${deployment.issuer}/account`);
    await agent.submit(formOf(page, 'password'), {
      currentPassword: person.password,
      newPassword: 'a longer walk along the river',
    });
    const ended = await press(third.link);
    expect([ended.status, headingOf(ended)]).toEqual([400, 'This link does not work any more']);
    expect(await accountOf(third.to)).toBeUndefined();
  });

  test('can be asked for five times a day', async () => {
    const page = await openAccount(deployment, agent, person);
    const answers = [];
    for (let times = 0; times < 7; times += 1) answers.push((await ask(page, freshAddress())).status);
    expect(answers).toEqual([200, 200, 200, 200, 200, 429, 429]);
  });
});

describe('an address that another account has', () => {
  test('looks the same as a free one, and its owner gets a mail without a link to confirm', async () => {
    const owner = await newPerson(deployment);
    const free = await ask(await openAccount(deployment, agent, person), freshAddress());
    const taken = await ask(await agent.get(`${deployment.issuer}/account`), owner.email);
    const shape = ({ status, url, html, headers }: Page) => ({
      status,
      url,
      html: html
        .replace(/[\w-]+@example\.com/g, 'address')
        // Challenges of passkeys are new on each page.
        .replace(/(data-options|name="sealed" value)="[^"]*"/g, '$1'),
      type: headers.get('Content-Type'),
    });
    expect(shape(taken)).toEqual(shape(free));
    const [mail] = await mails.until(owner.email, 1);
    expect(mail?.header('Subject')).toEqual(['Gatehouse: your address was entered for another account']);
    expect([linkIn(textOf(mail), 'confirm'), codeIn(textOf(mail))]).toEqual(['', '']);
    expect(await accountOf(owner.email)).toBeDefined();
  });

  test('of parallel confirmations of one address exactly one succeeds', async () => {
    const to = freshAddress();
    const links: string[] = [];
    const people = await Promise.all(Array.from({ length: 4 }, () => newPerson(deployment)));
    for (const each of people) {
      person = each;
      links.push((await asked(to, await signedInBrowser(deployment, each), each.email)).link);
    }
    const done = (await Promise.all(links.map(press))).map(headingOf);
    expect(tally(done)).toEqual({ 'Your address is changed': 1, 'This address can’t be used': 3 });
    expect(await signsIn(to)).toBe(true);
  });

  test('of parallel presses of one button exactly one succeeds', async () => {
    const { link, to } = await asked();
    const done = (await Promise.all(Array.from({ length: 6 }, () => press(link)))).map(headingOf);
    expect(done.filter((heading) => heading === 'Your address is changed')).toHaveLength(1);
    expect(await accountOf(to)).toBeDefined();
  });
});

describe('the undo', () => {
  test('gives the earlier address back, ends every session, removes the password, and leads to a new one', async () => {
    const { to, undo } = await changed();
    const other = createUserAgent(deployment);
    for (let times = 0; times < 2; times += 1)
      expect(headingOf(await other.get(undo))).toBe('Undo the change of the address');
    expect(await accountOf(to)).toBeDefined();
    const next = await other.submit(await other.get(undo), {});
    expect(next.url).toMatch(new RegExp(`^${deployment.issuer}/recover/password\\?`));
    const account = await accountOf(person.email);
    expect(account).toMatchObject({ emailVerified: true, tokenVersion: 1 });
    expect(account?.passwordHash).toBeUndefined();
    expect(await accountOf(to)).toBeUndefined();
    expect((await agent.get(`${deployment.issuer}/account`)).html).toContain('name="password"');
    expect([await signsIn(to), await signsIn(person.email)]).toEqual([false, false]);
    expect(textOf((await mails.until(person.email, 3)).at(-1))).toContain('has the address');
    const again = await createUserAgent(deployment).get(undo);
    expect([again.status, headingOf(again)]).toEqual([400, 'This link does not work any more']);
    const newPassword = 'a longer walk along the river';
    await other.submit(next, { newPassword });
    expect(await signsIn(person.email, newPassword)).toBe(true);
  });

  test('of the first change works after a second change, and ends the undo of the second', async () => {
    const first = await changed();
    const second = await changed(freshAddress(), first.to);
    const waiting = await asked(freshAddress(), agent, second.to);
    expect((await press(first.undo)).url).toContain('/recover/password');
    expect(await accountOf(person.email)).toBeDefined();
    for (const link of [second.undo, waiting.link])
      expect(headingOf(await press(link))).toBe('This link does not work any more');
    expect(await accountOf(person.email)).toBeDefined();
    expect(await accountOf(waiting.to)).toBeUndefined();
  });

  test('works for 72 hours, also after a new password, and no longer', async () => {
    const { undo, to } = await changed();
    agent = await signedInBrowser(deployment, { ...person, email: to });
    await agent.submit(formOf(await agent.get(`${deployment.issuer}/account`), 'password'), {
      currentPassword: person.password,
      newPassword: 'the password of a thief',
    });
    deployment.advance(72 * 3600 - 60);
    expect(headingOf(await createUserAgent(deployment).get(undo))).toBe('Undo the change of the address');
    deployment.advance(61);
    expect(headingOf(await createUserAgent(deployment).get(undo))).toBe('This link does not work any more');
  });

  test('finds its address free: until then, no other account gets it', async () => {
    const { undo } = await changed();
    const { status } = await callJsonApi(deployment, '/auth/register', person);
    expect(status).toBe(202);
    expect(await accountOf(person.email)).toBeUndefined();
    await press(undo);
    expect(await accountOf(person.email)).toBeDefined();
  });
});

test('the links come from the issuer, and the log and the mails to the earlier address hold no token of the new one', async () => {
  const { link, text } = await asked();
  expect(link.startsWith(`${deployment.issuer}/account/address/confirm?`)).toBe(true);
  expect(text).not.toContain('undefined');
  const token = new URL(link).searchParams.get('token') ?? 'none';
  for (const mail of await mails.until(person.email, 1)) expect(mail.raw).not.toContain(token);
});

test('the page of a link sends its address to no other page', async () => {
  const { link } = await asked();
  const shown = await createUserAgent(deployment).get(link);
  expect(shown.headers.get('Referrer-Policy')).toMatch(/^(strict-origin|no-referrer)$/);
});
