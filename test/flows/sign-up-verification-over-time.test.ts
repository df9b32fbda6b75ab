import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import { authenticatorOf } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { apiLogin, callJsonApi, getProfile, getUserinfo } from '../support/json-api.ts';
import { codeIn, linkIn, newestMail } from '../support/mail-links.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, stepOf, type UserAgent } from '../support/user-agent.ts';
import { codeOf as errorOf, headingOf } from './account-pages.ts';
import { appDocument, createApp } from './apps.ts';

jest.setTimeout(240_000);

const day = 86_400;
let mailServer: MailServer;
let deployment: InProcess;
let web: TestClient;
let vault: TestClient;
let person: Person;

beforeAll(async () => {
  mailServer = await startMailServer();
  const clients = [
    appDocument('web', { firstParty: true, clientUri: 'https://contracts.example.com' }),
    appDocument('vault', { firstParty: true, requireSecondFactor: true }),
    appDocument('api', { auth: 'none', firstParty: true, grants: ['password', 'refresh_token'] }),
  ];
  deployment = await startInProcess(clients, {
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_SIGNUP_VERIFICATION: '7d',
    GATEHOUSE_DEFAULT_CLIENT: 'api',
    ...mailServer.settings,
  });
  web = createApp(deployment, 'web');
  vault = createApp(deployment, 'vault');
});
afterAll(async () => {
  await deployment?.stop();
  await mailServer?.close();
});
beforeEach(() => {
  person = { email: `${newId('someone').toLowerCase()}@example.com`, password: 'a quiet evening in' };
});

const browser = () => createUserAgent(deployment);
const start = (agent: UserAgent, app = web) => agent.get(app.authorizationUrl({ scope: 'openid email' }));
const signUp = async (agent: UserAgent, typed: Person = person) =>
  agent.submit(await agent.get(stepOf(await start(agent), '/sign-up')), { ...typed });
const codeOf = ({ url }: Page) => new URL(url).searchParams.get('code');
const login = (typed: Person = person) => callJsonApi(deployment, '/auth/login', typed);
const mailed = (count = 1) => newestMail(mailServer, person.email, count);
const isVerified = async (page: Page) => {
  const { body } = await web.redeem(codeOf(page) ?? '');
  const answer = await getUserinfo(deployment, String(body.access_token));
  return ((await answer.json()) as Record<string, unknown>).email_verified;
};

test('within the days a person signs in without a proof, and after them only with one', async () => {
  const agent = browser();
  const page = await signUp(agent);
  expect(page.html).toContain('confirm your address later');
  const later = await agent.submit(await start(agent), { ...person });
  expect(await isVerified(later)).toBe(false);
  deployment.advance(7 * day - 60);
  expect((await login()).status).toBe(200);
  deployment.advance(120);
  expect((await login()).body.code).toBe('email_not_verified');
  const elsewhere = browser();
  const blocked = await elsewhere.submit(await start(elsewhere), { ...person });
  expect(headingOf(blocked)).toBe('Confirm your email address');
  expect(blocked.html).not.toContain('confirm your address later');
  const sent = await elsewhere.submit(blocked, { again: 'yes' });
  const end = await elsewhere.submit(sent, { code: codeIn(await mailed(2)) });
  expect(await isVerified(end)).toBe(true);
  expect((await login()).status).toBe(200);
});

test('the link is valid for thirty minutes, and outlives the sign-in that it began in', async () => {
  const agent = browser();
  await signUp(agent);
  const link = linkIn(await mailed());
  deployment.advance(20 * 60);
  const page = await agent.get(link);
  expect(page.html).not.toContain('name="password"');
  const other = browser();
  await signUp(other, { ...person, email: `x${person.email}` });
  const late = linkIn(await newestMail(mailServer, `x${person.email}`));
  const done = await agent.submit(page, {});
  expect(headingOf(done)).toBe('Your address is confirmed');
  expect(done.html).toContain('https://contracts.example.com/');
  deployment.advance(30 * 60 + 1);
  expect(errorOf(await other.get(late))).toBe('invalid_one_time_token');
});

describe('what a stranger did in an account with the address of another person', () => {
  const password = 'a stranger was here';
  let tokens: { accessToken: string; refreshToken: string };
  let session: UserAgent;

  /** The stranger signs up, signs in, and adds a second factor. */
  beforeEach(async () => {
    const stranger = { ...person, password };
    session = browser();
    await signUp(session, stranger);
    const page = await session.submit(await start(session, vault), { ...stranger });
    const app = authenticatorOf(page);
    await session.submit(page, { code: app.code() });
    deployment.advance(60);
    const first = await login(stranger);
    const { challenge } = first.body;
    const answer = await callJsonApi(deployment, '/auth/login/second-factor', {
      challenge,
      code: app.code(),
    });
    tokens = answer.body as unknown as typeof tokens;
    expect((await getProfile(deployment, tokens.accessToken)).status).toBe(200);
  });

  const expectGone = async () => {
    expect((await getProfile(deployment, tokens.accessToken)).status).toBe(401);
    const { refreshToken } = tokens;
    expect((await callJsonApi(deployment, '/auth/refresh', { refreshToken })).status).toBe(401);
    const account = await session.get(`${deployment.issuer}/account`);
    expect(account.html).toContain('name="password"');
    expect((await login({ ...person, password })).body.code).toBe('invalid_credentials');
    // No second factor is left, and the owner signs in.
    await apiLogin(deployment, { ...person });
    const stored = await deployment.ports.accounts.findByEmail(person.email);
    expect(stored).toMatchObject({ emailVerified: true });
    expect(stored).not.toHaveProperty('isUnconfirmed');
    expect(stored).not.toHaveProperty('hasSecondFactor');
  };

  test('ends when the owner signs up and confirms', async () => {
    const agent = browser();
    const page = await signUp(agent);
    expect(codeOf(await agent.submit(page, { code: codeIn(await mailed(2)) }))).toBeTruthy();
    await expectGone();
  });

  test('ends when the owner recovers the account', async () => {
    const agent = browser();
    await callJsonApi(deployment, '/auth/recover', { email: person.email });
    const page = await agent.get(linkIn(await mailed(2)));
    await agent.submit(page, { newPassword: person.password });
    await expectGone();
  });
});
