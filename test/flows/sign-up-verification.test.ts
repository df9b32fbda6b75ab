import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import { type FleetDeployment, startEmbedded, startServers } from '../support/deployment.ts';
import { callJsonApi, getUserinfo, postJson } from '../support/json-api.ts';
import { codeIn, linkIn, newestMail } from '../support/mail-links.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, stepOf, type UserAgent } from '../support/user-agent.ts';
import { codeOf as errorOf, headingOf, noticeOf, wrongOf } from './account-pages.ts';
import { appDocument, createApp } from './apps.ts';

jest.setTimeout(240_000);

const kinds = [
  { name: 'Postgres and Redis', start: startServers },
  { name: 'the embedded default', start: startEmbedded },
];

describe.each(kinds)('sign-up with a proof of the address, on $name', ({ start }) => {
  let mailServer: MailServer;
  let deployment: FleetDeployment;
  let web: TestClient;
  let person: Person;

  beforeAll(async () => {
    mailServer = await startMailServer();
    deployment = await start({
      clients: [
        appDocument('web', { firstParty: true }),
        appDocument('api', { auth: 'none', firstParty: true, grants: ['password', 'refresh_token'] }),
      ],
      env: {
        GATEHOUSE_SIGNUP: 'true',
        GATEHOUSE_SIGNUP_VERIFICATION: 'first',
        GATEHOUSE_DEFAULT_CLIENT: 'api',
        ...mailServer.settings,
      },
    });
    web = createApp(deployment, 'web');
  });
  afterAll(async () => {
    await deployment?.stop();
    await mailServer?.close();
  });
  beforeEach(() => {
    person = { email: `${newId('someone').toLowerCase()}@example.com`, password: 'a quiet evening in' };
  });

  const browser = () => createUserAgent(deployment);
  const signUp = async (agent: UserAgent, typed: Person = person): Promise<Page> => {
    const signIn = await agent.get(web.authorizationUrl({ scope: 'openid email' }));
    return agent.submit(await agent.get(stepOf(signIn, '/sign-up')), { ...typed });
  };
  const signIn = async (agent: UserAgent, typed: Person = person) =>
    agent.submit(await agent.get(web.authorizationUrl()), { ...typed });
  const login = (typed: Person = person) => callJsonApi(deployment, '/auth/login', typed);
  const codeOf = ({ url }: Page) => new URL(url).searchParams.get('code');
  const mailTo = (email: string, count = 1) => newestMail(mailServer, email, count);
  const claimsOf = async (page: Page) => {
    const { body } = await web.redeem(codeOf(page) ?? '');
    const answer = await getUserinfo(deployment, String(body.access_token));
    return (await answer.json()) as Record<string, unknown>;
  };
  /** The second form of the page: a new mail. */
  const askAgain = (agent: UserAgent, page: Page) => agent.submit(page, { again: 'yes' });

  test('the sign-up goes on with the code of the mail, and the address is verified', async () => {
    const agent = browser();
    const page = await signUp(agent);
    expect(headingOf(page)).toBe('Confirm your email address');
    expect(page.html).toContain(person.email);
    expect((await login()).body.code).toBe('email_not_verified');
    const code = codeIn(await mailTo(person.email));
    const end = await agent.submit(page, { code: code.toLowerCase().replace('-', ' ') });
    expect(await claimsOf(end)).toMatchObject({ email: person.email, email_verified: true });
    expect((await login()).status).toBe(200);
  });

  test('the link continues the sign-up in the same browser, and opening it spends nothing', async () => {
    const agent = browser();
    await signUp(agent);
    const link = linkIn(await mailTo(person.email));
    expect(link.startsWith(`${deployment.issuer}/sign-up/confirm?`)).toBe(true);
    // A mail scanner opens every link.
    for (const visitor of [browser(), browser(), agent]) expect((await visitor.get(link)).status).toBe(200);
    expect((await login()).body.code).toBe('email_not_verified');
    const page = await agent.get(link);
    expect(page.html).not.toContain('name="password"');
    const end = await agent.submit(page, {});
    expect(await claimsOf(end)).toMatchObject({ email_verified: true });
    const used = await agent.get(link);
    expect([used.status, errorOf(used)]).toEqual([400, 'invalid_one_time_token']);
  });

  test('the link works in another browser with the password, and ends on a page', async () => {
    await signUp(browser());
    const elsewhere = browser();
    const page = await elsewhere.get(linkIn(await mailTo(person.email)));
    const short = await elsewhere.submit(page, { password: 'short' });
    expect([short.status, wrongOf(short)]).toEqual([400, expect.stringContaining('15')]);
    const done = await elsewhere.submit(short, { password: person.password });
    expect(headingOf(done)).toBe('Your address is confirmed');
    expect((await login()).status).toBe(200);
    expect(codeOf(await signIn(elsewhere))).toBeTruthy();
  });

  test('an account whose address is not confirmed cannot sign in, and can ask for a new mail there', async () => {
    const first = browser();
    const old = await signUp(first);
    const oldLink = linkIn(await mailTo(person.email));
    const agent = browser();
    const page = await signIn(agent);
    expect(headingOf(page)).toBe('Confirm your email address');
    expect(page.html).not.toContain('name="code"');
    const sent = await askAgain(agent, page);
    expect(noticeOf(sent)).toContain('another mail');
    const mail = await mailTo(person.email, 2);
    expect(errorOf(await browser().get(oldLink))).toBe('invalid_one_time_token');
    const wrong = await first.submit(old, { code: codeIn(mail) });
    expect(wrongOf(wrong)).toContain('wrong');
    expect(codeOf(await agent.submit(sent, { code: codeIn(mail) }))).toBeTruthy();
    const refused = await signIn(browser(), { ...person, password: 'some other password' });
    expect(wrongOf(refused)).toContain('wrong');
  });

  test('the password grant says so with a code', async () => {
    await signUp(browser());
    const parameters = { grant_type: 'password', client_id: 'api', username: person.email };
    const answer = await createApp(deployment, 'api', 'public').post('token', {
      ...parameters,
      password: person.password,
    });
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'email_not_verified' },
    ]);
    const { status, body } = await login();
    expect([status, body.code, Object.keys(body)]).toEqual([
      403,
      'email_not_verified',
      expect.not.arrayContaining(['confirmation']),
    ]);
  });

  test('five wrong codes end the code, and the link still works', async () => {
    const agent = browser();
    let page = await signUp(agent);
    const mail = await mailTo(person.email);
    for (let tries = 0; tries < 5; tries += 1) page = await agent.submit(page, { code: 'BBBB-BBBB' });
    expect(wrongOf(await agent.submit(page, { code: codeIn(mail) }))).toContain('wrong');
    expect(codeOf(await agent.submit(await agent.get(linkIn(mail)), {}))).toBeTruthy();
  });

  test('an app without pages confirms with the code too', async () => {
    const { status, body } = await callJsonApi(deployment, '/auth/register', person);
    expect([status, Object.keys(body)]).toEqual([202, ['status', 'confirmation']]);
    const confirmation = String(body.confirmation);
    const code = codeIn(await mailTo(person.email));
    const wrong = await callJsonApi(deployment, '/auth/register/confirm', {
      confirmation,
      code: 'BBBB-BBBB',
    });
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_one_time_token']);
    const right = await postJson(deployment, '/auth/register/confirm', { confirmation, code });
    expect(right.status).toBe(204);
    expect((await login()).status).toBe(200);
  });

  describe('a known address', () => {
    beforeEach(async () => {
      const agent = browser();
      await agent.submit(await signUp(agent), { code: codeIn(await mailTo(person.email)) });
    });

    test('gets a mail that says so, and the sign-up looks the same from outside', async () => {
      const stranger = browser();
      const other = { email: person.email.replace('someone', 'another'), password: 'a stranger was here' };
      const plain = (page: Page, email: string) => ({
        status: page.status,
        headers: [...page.headers.keys()].sort(),
        html: page.html
          .replaceAll(email, 'EMAIL')
          .replace(/\/interaction\/[\w-]+/g, '')
          .replace(/value="[\w-]{20,}"/g, (value) => `value of ${value.length} characters`),
      });
      const known = plain(await signUp(stranger, { ...other, email: person.email }), person.email);
      const unknown = plain(await signUp(browser(), other), other.email);
      expect(known).toEqual(unknown);
      const mail = await mailTo(person.email, 2);
      expect(mail.header('Subject')).toEqual(['Gatehouse: you already have an account']);
      expect(mail.part('text/plain')).not.toMatch(/token=|[A-Z]{4}-[A-Z]{4}/);
      expect((await login()).status).toBe(200);
      expect((await login({ ...other, email: person.email })).body.code).toBe('invalid_credentials');
    });

    test('gives the app the same answer', async () => {
      const other = { ...person, email: person.email.replace('someone', 'another') };
      const answers = await Promise.all(
        [person, other].map((typed) => callJsonApi(deployment, '/auth/register', typed)),
      );
      const shapes = answers.map(({ status, body }) => [
        status,
        Object.keys(body),
        body.status,
        String(body.confirmation).length,
      ]);
      expect(shapes[0]).toEqual(shapes[1]);
      expect(shapes[0]?.[0]).toBe(202);
      for (const { body } of answers) {
        const { confirmation } = body;
        const wrong = await callJsonApi(deployment, '/auth/register/confirm', {
          confirmation,
          code: 'BBBB-BBBB',
        });
        expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_one_time_token']);
      }
    });

    test('is asked for again with a mail of the same kind', async () => {
      const stranger = browser();
      const page = await signUp(stranger, { ...person, password: 'a stranger was here' });
      expect(noticeOf(await askAgain(stranger, page))).toContain('another mail');
      const mails = await mailServer.until(person.email, 3);
      expect(mails.slice(1).map((mail) => mail.header('Subject')[0])).toEqual([
        'Gatehouse: you already have an account',
        'Gatehouse: you already have an account',
      ]);
    });
  });

  describe('if another person signed up with the address first', () => {
    const strangers = { password: 'a stranger was here' };
    beforeEach(async () => {
      await signUp(browser(), { ...person, ...strangers });
      await mailTo(person.email);
    });

    const expectOwner = async () => {
      expect((await login()).status).toBe(200);
      expect((await login({ ...person, ...strangers })).body.code).toBe('invalid_credentials');
    };

    test('the owner who signs up later has the password, with the code', async () => {
      const agent = browser();
      const page = await signUp(agent);
      expect(codeOf(await agent.submit(page, { code: codeIn(await mailTo(person.email, 2)) }))).toBeTruthy();
      await expectOwner();
    });

    test('the owner who signs up later has the password, with the link', async () => {
      const agent = browser();
      await signUp(agent);
      const link = linkIn(await mailTo(person.email, 2));
      expect(codeOf(await agent.submit(await agent.get(link), {}))).toBeTruthy();
      await expectOwner();
    });

    test('the owner who only opens the mail of the other person types an own password', async () => {
      const agent = browser();
      const page = await agent.get(linkIn(await mailTo(person.email)));
      await agent.submit(page, { password: person.password });
      await expectOwner();
    });

    test('a sign-up of the other person after that of the owner changes nothing for the owner', async () => {
      const agent = browser();
      await signUp(agent);
      await mailTo(person.email, 2);
      await signUp(browser(), { ...person, ...strangers });
      // The newest mail is that of the other person. The owner can't tell.
      const link = linkIn(await mailTo(person.email, 3));
      expect(codeOf(await agent.submit(await agent.get(link), {}))).toBeTruthy();
      await expectOwner();
    });
  });

  test('parallel sign-ups with one address make one account, and each gets the same answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        callJsonApi(deployment, '/auth/register', { ...person, password: `a quiet evening in ${index}` }),
      ),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${Object.keys(body)}`))).toEqual(
      new Set(['202 status,confirmation']),
    );
    const mails = await mailServer.until(person.email, 8);
    const links = await Promise.all(mails.map((mail) => browser().get(linkIn(mail))));
    expect(links.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('an account that an administrator made is not affected', async () => {
    const { email, password } = { email: 'john@example.com', password: 'correct-horse-battery' };
    expect((await login({ email, password })).status).toBe(200);
  });
});
