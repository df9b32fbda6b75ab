import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { multiFactorAcr, passwordAcr } from '../../provider/lib/password-sign-in.ts';
import { type Authenticator, personWithFactor } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { newPerson } from '../support/sign-in.ts';
import { decodeJwt, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';

let deployment: InProcess;
let web: TestClient;
/** An app whose document requires a second factor. */
let vault: TestClient;
/** A browser that is signed in with the password, and whose account has got a second factor since then. */
let agent: UserAgent;
let person: Person;
let app: Authenticator;
/** When the password was typed, in seconds since the epoch. */
let signedInAt: number;

beforeAll(async () => {
  const clients = [
    appDocument('web', { firstParty: true }),
    appDocument('vault', { firstParty: true, requireSecondFactor: true }),
  ];
  deployment = await startInProcess(clients, { GATEHOUSE_SIGNUP: 'true' });
  web = createApp(deployment, 'web');
  vault = createApp(deployment, 'vault');
}, 120_000);
afterAll(() => deployment?.stop());

const scope = 'openid contracts:read offline_access';
const essential = {
  claims: JSON.stringify({ id_token: { acr: { essential: true, value: multiFactorAcr } } }),
};
const open = (client: TestClient, parameters: Record<string, string> = {}) =>
  agent.get(client.authorizationUrl({ scope, ...parameters }));
const claimsOf = (token: unknown) => {
  const { acr, amr, auth_time } = decodeJwt(String(token)).claims;
  return { acr, amr, auth_time: Number(auth_time) };
};
const codeOf = ({ url }: Page) => new URL(url).searchParams.get('code') ?? '';
const tokensAt = async (client: TestClient, page: Page) => tokensOf(await client.redeem(codeOf(page)));
const asksOnlyForCode = ({ html }: Page) => html.includes('name="code"') && !html.includes('name="password"');
const both = { acr: multiFactorAcr, amr: ['pwd', 'otp', 'mfa'] };

/** Signs in with the password only, and adds the factor in another browser. */
beforeEach(async () => {
  agent = createUserAgent(deployment);
  const other = await personWithoutFactor();
  ({ app } = other);
  deployment.advance(60);
});

async function personWithoutFactor() {
  person = await newPerson(deployment);
  const page = await agent.submit(await open(web), { ...person });
  signedInAt = claimsOf((await tokensAt(web, page)).id_token).auth_time;
  return personWithFactor(deployment, person);
}

describe('a browser that is signed in with the password only', () => {
  test.each([
    ['acr_values', () => web, { acr_values: multiFactorAcr }],
    ['an essential acr', () => web, essential],
    ['a client that requires a second factor', () => vault, {}],
    [
      'acr_values and a max_age that the sign-in meets',
      () => web,
      { acr_values: multiFactorAcr, max_age: '600' },
    ],
  ])(
    '%s leads to the code alone, once, and keeps auth_time',
    async (_, client, parameters: Record<string, string>) => {
      const page = await open(client(), parameters);
      expect(asksOnlyForCode(page)).toBe(true);
      const end = await agent.submit(page, { code: app.code() });
      const tokens = await tokensAt(client(), end);
      for (const token of [tokens.id_token, tokens.access_token])
        expect(claimsOf(token)).toEqual({ ...both, auth_time: signedInAt });
      // Both survive a refresh and single sign-on, and the same request is answered at once.
      deployment.advance(60);
      const next = tokensOf(await client().refresh(tokens.refresh_token));
      expect(claimsOf(next.access_token)).toEqual({ ...both, auth_time: signedInAt });
      expect(codeOf(await open(client(), parameters))).not.toBe('');
      const other = await tokensAt(web, await open(web));
      expect(claimsOf(other.access_token)).toEqual({ ...both, auth_time: signedInAt });
    },
  );

  test.each([
    ['prompt=login', { prompt: 'login' }],
    ['max_age', { max_age: '30' }],
    ['max_age and acr_values', { max_age: '30', acr_values: multiFactorAcr }],
    ['prompt=login and an essential acr', { prompt: 'login', ...essential }],
  ])('%s leads to password and code, with a new auth_time', async (_, parameters: Record<string, string>) => {
    const page = await open(web, parameters);
    expect(page.html).toContain('name="password"');
    const second = await agent.submit(page, { ...person });
    expect(asksOnlyForCode(second)).toBe(true);
    const tokens = await tokensAt(web, await agent.submit(second, { code: app.code() }));
    const { auth_time, ...level } = claimsOf(tokens.id_token);
    expect(level).toEqual(both);
    expect(auth_time - signedInAt).toBeGreaterThanOrEqual(60);
  });

  test('a pushed request leads to the code alone, and the browser cannot take the level out', async () => {
    const pushed = new URL(web.authorizationUrl({ scope, acr_values: multiFactorAcr })).searchParams;
    const { body } = await web.post('par', Object.fromEntries(pushed));
    const weakened = { client_id: web.id, request_uri: String(body.request_uri), acr_values: passwordAcr };
    const page = await agent.get(`${deployment.issuer}/oauth2/authorize?${new URLSearchParams(weakened)}`);
    expect(asksOnlyForCode(page)).toBe(true);
    const tokens = await tokensAt(web, await agent.submit(page, { code: app.code() }));
    expect(claimsOf(tokens.access_token)).toEqual({ ...both, auth_time: signedInAt });
  });

  test('a wrong code asks for the code again, and a form that has expired too', async () => {
    const page = await open(web, essential);
    const wrong = await agent.submit(page, { code: '000000' });
    expect([wrong.status, asksOnlyForCode(wrong)]).toEqual([400, true]);
    deployment.advance(301);
    const late = await agent.submit(wrong, { code: app.code() });
    expect(asksOnlyForCode(late)).toBe(true);
    expect(late.html).toContain('That took too long');
    expect(codeOf(await agent.submit(late, { code: app.code() }))).not.toBe('');
  });

  test('the first code of a new page counts as a try too, so a stolen session allows few guesses', async () => {
    const statuses: number[] = [];
    for (let tries = 0; tries < 12; tries++)
      statuses.push((await agent.submit(await open(web, essential), { code: '000000' })).status);
    expect(statuses).toContain(429);
    expect(statuses.filter((status) => status === 400).length).toBeLessThanOrEqual(10);
  }, 60_000);

  test('the code does not revive a session that was signed out everywhere meanwhile', async () => {
    const page = await open(web, essential);
    const account = await deployment.ports.accounts.findByEmail(person.email);
    await deployment.unitOfWork.run(({ accounts }) =>
      accounts.update(account?.id ?? '', { raiseTokenVersion: true }, Date.now()),
    );
    const again = await agent.submit(page, { code: app.code() });
    const end = await agent.submit(again, { code: app.code(1) });
    expect(codeOf(end)).toBe('');
    expect(end.html).toContain('name="password"');
  });

  test('an account without a second factor needs its password to add one', async () => {
    const account = await deployment.ports.accounts.findByEmail(person.email);
    await deployment.unitOfWork.run(async ({ accounts, secondFactors }) => {
      await secondFactors.remove(account?.id ?? '');
      await accounts.update(account?.id ?? '', { hasSecondFactor: false }, Date.now());
    });
    const page = await open(web, essential);
    expect(page.html).toContain('name="password"');
    expect((await agent.submit(page, { ...person })).html).toContain('<svg');
  });
});
