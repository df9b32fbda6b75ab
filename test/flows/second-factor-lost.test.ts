import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Authenticator, authenticatorOf, personWithFactor } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { decodeJwt, type TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';

const hour = 3600;

let deployment: InProcess;
let web: TestClient;
let vault: TestClient;
let person: Person;
let app: Authenticator;

beforeAll(async () => {
  const clients = [
    appDocument('web', { firstParty: true }),
    appDocument('vault', { firstParty: true, requireSecondFactor: true }),
  ];
  deployment = await startInProcess(clients, {
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_SECOND_FACTOR_REMOVAL_HOURS: '72',
    // No process sends mails here: they stay in their table, and the test reads them there.
    GATEHOUSE_JOBS: 'worker',
    GATEHOUSE_MAIL: 'smtp://localhost:1',
    GATEHOUSE_MAIL_FROM: 'Example Login <login@example.com>',
  });
  web = createApp(deployment, 'web');
  vault = createApp(deployment, 'vault');
}, 120_000);
afterAll(() => deployment?.stop());
beforeEach(async () => {
  ({ person, app } = await personWithFactor(deployment));
  deployment.advance(60);
  await kindsOfMail();
});

/** The mails since the last call. */
async function kindsOfMail(): Promise<string[]> {
  const claimed = await deployment.ports.mails.claim(100, Date.now(), 1000);
  await Promise.all(claimed.map(({ id }) => deployment.ports.mails.remove(id)));
  return claimed.map(({ kind }) => kind);
}

const browser = () => createUserAgent(deployment);
const openPassword = async (agent: UserAgent, client = web) =>
  agent.submit(await agent.get(client.authorizationUrl()), { ...person });
const codeOf = ({ url }: Page) => new URL(url).searchParams.get('code');
const asksForCode = ({ html }: Page) => html.includes('name="code"') && !html.includes('class="secret"');

/** Says on the page for the code that everything is lost. */
async function reportLost(): Promise<Page> {
  const agent = browser();
  const page = await openPassword(agent);
  const form = (page.html.match(/<form[\s\S]*?<\/form>/g) ?? []).find((html) => html.includes('name="lost"'));
  return agent.submit({ ...page, html: form ?? '' }, { lost: 'yes' });
}

describe('a person who lost every second factor', () => {
  test('gets a mail at once, and after the waiting time the password removes the factors', async () => {
    const asked = await reportLost();
    expect(asked.html).toContain('We sent a mail to your address.');
    expect(await kindsOfMail()).toEqual(['second-factor-removal']);
    // A second wish changes nothing, and writes no second mail.
    await reportLost();
    expect(await kindsOfMail()).toEqual([]);
    deployment.advance(71 * hour);
    expect(asksForCode(await openPassword(browser()))).toBe(true);
    deployment.advance(hour);
    const end = await openPassword(browser());
    const { body } = await web.redeem(codeOf(end) ?? '');
    expect(decodeJwt(String(body.id_token)).claims.amr).toEqual(['pwd']);
    expect(await kindsOfMail()).toEqual(['second-factor-removed']);
    const account = await deployment.ports.accounts.findByEmail(person.email);
    expect(await deployment.ports.secondFactors.find(account?.id ?? '')).toBeUndefined();
  });

  test('adds a new one in the same sign-in where a client requires it', async () => {
    await reportLost();
    deployment.advance(73 * hour);
    const agent = browser();
    const page = await openPassword(agent, vault);
    const shown = await agent.submit(page, { code: authenticatorOf(page).code() });
    expect(codeOf(await agent.submit(shown, {}))).toBeTruthy();
  });

  test.each([
    [
      'a sign-in with a code',
      async () => {
        const agent = browser();
        expect(codeOf(await agent.submit(await openPassword(agent), { code: app.code() }))).toBeTruthy();
      },
    ],
    [
      'sign out everywhere or a new password',
      async () => {
        const account = await deployment.ports.accounts.findByEmail(person.email);
        await deployment.unitOfWork.run(({ accounts }) =>
          accounts.update(account?.id ?? '', { raiseTokenVersion: true }, Date.now()),
        );
      },
    ],
    ['seven days without a sign-in after the waiting time', async () => deployment.advance(7 * 24 * hour)],
  ])('%s cancels the wish', async (_, cancel) => {
    await reportLost();
    await cancel();
    deployment.advance(72 * hour);
    expect(asksForCode(await openPassword(browser()))).toBe(true);
  });
});
