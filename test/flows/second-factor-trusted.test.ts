import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { multiFactorAcr, passwordAcr } from '../../provider/lib/password-sign-in.ts';
import { type Authenticator, personWithFactor, stepUpOnAccount } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { openAccount } from '../support/sign-in.ts';
import { decodeJwt, type TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { formOf } from './account-pages.ts';
import { appDocument, createApp } from './apps.ts';

const day = 86_400;

let deployment: InProcess;
let web: TestClient;
let vault: TestClient;
let person: Person;
let app: Authenticator;
/** A browser that the person trusts, signed out. */
let agent: UserAgent;

beforeAll(async () => {
  const clients = [
    appDocument('web', { firstParty: true }),
    appDocument('vault', { firstParty: true, requireSecondFactor: true }),
  ];
  const settings = { GATEHOUSE_SIGNUP: 'true', GATEHOUSE_TRUSTED_DEVICE_DAYS: '30' };
  deployment = await startInProcess(clients, settings);
  web = createApp(deployment, 'web');
  vault = createApp(deployment, 'vault');
}, 120_000);
afterAll(() => deployment?.stop());

/** Opens an app in a browser whose session has ended, and enters the password. */
const openPassword = async (client: TestClient, parameters: Record<string, string> = {}, who = person) =>
  agent.submit(await agent.get(client.authorizationUrl({ prompt: 'login', ...parameters })), { ...who });
const codeOf = ({ url }: Page) => new URL(url).searchParams.get('code');
const asksForCode = ({ html }: Page) => html.includes('name="code"');
const nextCode = () => {
  deployment.advance(30);
  return app.code();
};

beforeEach(async () => {
  ({ person, app } = await personWithFactor(deployment));
  agent = createUserAgent(deployment);
  const page = await openPassword(web);
  expect(page.html).toContain('in this browser for 30 days');
  expect(codeOf(await agent.submit(page, { code: nextCode(), trust: 'yes' }))).toBeTruthy();
});

describe('a trusted browser', () => {
  test('asks for no code for 30 days, and the tokens say that only the password was given', async () => {
    deployment.advance(29 * day);
    const end = await openPassword(web);
    const { body } = await web.redeem(codeOf(end) ?? '');
    const { acr, amr } = decodeJwt(String(body.id_token)).claims;
    expect([acr, amr]).toEqual([passwordAcr, ['pwd']]);
    deployment.advance(2 * day);
    expect(asksForCode(await openPassword(web))).toBe(true);
  });

  test('is no second factor for a client or an app that asks for one', async () => {
    expect(asksForCode(await openPassword(vault))).toBe(true);
    expect(asksForCode(await openPassword(web, { acr_values: multiFactorAcr }))).toBe(true);
    // After a sign-in by trust, an app that asks for the level gets the missing code only.
    expect(codeOf(await openPassword(web))).toBeTruthy();
    const page = await agent.get(web.authorizationUrl({ acr_values: multiFactorAcr }));
    expect([asksForCode(page), page.html.includes('name="password"')]).toEqual([true, false]);
    expect(page.html).not.toContain('name="trust"');
  });

  test('is trusted for one account, and other browsers are not', async () => {
    const other = await personWithFactor(deployment);
    expect(asksForCode(await openPassword(web, {}, other.person))).toBe(true);
    agent = createUserAgent(deployment);
    expect(asksForCode(await openPassword(web))).toBe(true);
  });

  test('without the checkbox, a browser is asked again', async () => {
    agent = createUserAgent(deployment);
    expect(codeOf(await agent.submit(await openPassword(web), { code: nextCode() }))).toBeTruthy();
    expect(asksForCode(await openPassword(web))).toBe(true);
  });

  test.each([
    [
      'a new password',
      async () => {
        const next = 'a longer walk along the river';
        deployment.advance(30);
        const page = await stepUpOnAccount(agent, await openAccount(deployment, agent, person), app);
        await agent.submit(formOf(page, 'password'), { currentPassword: person.password, newPassword: next });
        person = { ...person, password: next };
      },
    ],
    [
      'sign out everywhere',
      async () => {
        const account = await deployment.ports.accounts.findByEmail(person.email);
        await deployment.unitOfWork.run(({ accounts }) =>
          accounts.update(account?.id ?? '', { raiseTokenVersion: true }, Date.now()),
        );
      },
    ],
    [
      'another app',
      async () => {
        const account = await deployment.ports.accounts.findByEmail(person.email);
        await deployment.unitOfWork.run(async ({ accounts, secondFactors }) => {
          await secondFactors.remove(account?.id ?? '');
          await accounts.update(account?.id ?? '', { hasSecondFactor: false }, Date.now());
        });
        await personWithFactor(deployment, person);
      },
    ],
  ])('ends with %s', async (_, change) => {
    expect(codeOf(await openPassword(web))).toBeTruthy();
    await change();
    expect(asksForCode(await openPassword(web))).toBe(true);
  });
});
