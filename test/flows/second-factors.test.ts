import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { multiFactorAcr } from '../../provider/lib/password-sign-in.ts';
import { type Authenticator, authenticatorOf, recoveryCodesOf } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { callJsonApi } from '../support/json-api.ts';
import { newPerson, openAccount, silently } from '../support/sign-in.ts';
import { decodeJwt, type TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from '../support/user-agent.ts';
import { formOf, noticeOf } from './account-pages.ts';
import { appDocument, createApp } from './apps.ts';

let deployment: InProcess;
/** An app that requires a second factor, and one that does not. */
let vault: TestClient;
let web: TestClient;
let person: Person;

const own = { auth: 'none', firstParty: true, grants: ['password', 'refresh_token'], redirectUris: [] };

beforeAll(async () => {
  const clients = [
    appDocument('vault', { firstParty: true, requireSecondFactor: true }),
    appDocument('web', { firstParty: true }),
    appDocument('api', own),
    appDocument('other-api', own),
    appDocument('vault-api', { ...own, requireSecondFactor: true }),
  ];
  deployment = await startInProcess(clients, { GATEHOUSE_SIGNUP: 'true' });
  vault = createApp(deployment, 'vault');
  web = createApp(deployment, 'web');
}, 120_000);
afterAll(() => deployment?.stop());
beforeEach(async () => {
  person = await newPerson(deployment);
});

const browser = () => createUserAgent(deployment);
const openPassword = async (agent: UserAgent, app: TestClient) =>
  agent.submit(await agent.get(app.authorizationUrl()), { ...person });
const codeOf = ({ url }: Page) => new URL(url).searchParams.get('code');
/** The amr of the id token that the app gets for the code of this page. */
const amrOf = async (app: TestClient, page: Page) => {
  const { body } = await app.redeem(codeOf(page) ?? '');
  return decodeJwt(String(body.id_token)).claims.amr;
};

/** Adds an authenticator app to the account of the person, at the app that requires it. */
async function enrolled(): Promise<{ app: Authenticator; recoveryCodes: string[] }> {
  const agent = browser();
  const page = await openPassword(agent, vault);
  const app = authenticatorOf(page);
  const shown = await agent.submit(page, { code: app.code() });
  const recoveryCodes = recoveryCodesOf(shown);
  expect(codeOf(await agent.submit(shown, {}))).toBeTruthy();
  // The next code is another one.
  deployment.advance(60);
  return { app, recoveryCodes };
}

const factorRows = async () => {
  const account = await deployment.ports.accounts.findByEmail(person.email);
  return account && (await deployment.ports.secondFactors.find(account.id));
};

describe('on the pages', () => {
  test('an app that requires a second factor lets a person add one as part of the sign-in', async () => {
    const agent = browser();
    const page = await openPassword(agent, vault);
    expect(page.html).toContain('<svg');
    const shown = await agent.submit(page, { code: authenticatorOf(page).code() });
    expect(new Set(recoveryCodesOf(shown)).size).toBe(10);
    const end = await agent.submit(shown, {});
    expect(await amrOf(vault, end)).toEqual(['pwd', 'otp', 'mfa']);
  });

  test('a session without a second factor is not enough for an app that requires one', async () => {
    const agent = browser();
    expect(codeOf(await openPassword(agent, web))).toBeTruthy();
    expect(await silently(agent, vault)).toBe('login_required');
    const page = await openPassword(agent, vault);
    const shown = await agent.submit(page, { code: authenticatorOf(page).code() });
    expect(codeOf(await agent.submit(shown, {}))).toBeTruthy();
    expect(await silently(agent, vault)).toBe('code');
    expect(await silently(agent, web)).toBe('code');
  });

  test.each([
    ['acr_values', () => ({ acr_values: multiFactorAcr })],
    [
      'an essential acr',
      () => ({ claims: JSON.stringify({ id_token: { acr: { essential: true, value: multiFactorAcr } } }) }),
    ],
  ])('an app that asks for the higher level by %s gets a sign-in with a code', async (_, parameters) => {
    const { app } = await enrolled();
    const agent = browser();
    const page = await agent.submit(await agent.get(web.authorizationUrl(parameters())), { ...person });
    const end = await agent.submit(page, { code: app.code() });
    const { body } = await web.redeem(codeOf(end) ?? '');
    const { acr, amr } = decodeJwt(String(body.id_token)).claims;
    expect([acr, amr]).toEqual([multiFactorAcr, ['pwd', 'otp', 'mfa']]);
    // The session has the level now.
    const again = await agent.get(web.authorizationUrl(parameters()));
    expect(codeOf(again)).toBeTruthy();
  });

  test('an app that asks for the higher level lets a person without a second factor add one', async () => {
    const agent = browser();
    expect(codeOf(await openPassword(agent, web))).toBeTruthy();
    const page = await agent.submit(await agent.get(web.authorizationUrl({ acr_values: multiFactorAcr })), {
      ...person,
    });
    const shown = await agent.submit(page, { code: authenticatorOf(page).code() });
    expect(await amrOf(web, await agent.submit(shown, {}))).toEqual(['pwd', 'otp', 'mfa']);
  });

  test('a wrong first code keeps the key, and nothing is stored before a right one', async () => {
    const agent = browser();
    const page = await openPassword(agent, vault);
    const app = authenticatorOf(page);
    const again = await agent.submit(page, { code: '000000' });
    expect(again.status).toBe(400);
    expect(authenticatorOf(again).code()).toBe(app.code());
    expect(await factorRows()).toBeUndefined();
    expect(recoveryCodesOf(await agent.submit(again, { code: app.code() }))).toHaveLength(10);
  });

  test('an account with a second factor is asked for its code at every app', async () => {
    const { app } = await enrolled();
    const agent = browser();
    const page = await openPassword(agent, web);
    expect(page.html).toContain('Enter the code');
    expect(page.url).not.toContain('code=');
    const end = await agent.submit(page, { code: app.code() });
    expect(await amrOf(web, end)).toEqual(['pwd', 'otp', 'mfa']);
  });

  test('an account without a second factor signs in with the password alone', async () => {
    const end = await openPassword(browser(), web);
    expect(await amrOf(web, end)).toEqual(['pwd']);
  });

  test('a code is used once, in any browser', async () => {
    const { app } = await enrolled();
    const code = app.code();
    const pages = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const agent = browser();
        return { agent, page: await openPassword(agent, web) };
      }),
    );
    const ends = await Promise.all(pages.map(({ agent, page }) => agent.submit(page, { code })));
    expect(ends.filter((end) => end.status === 0)).toHaveLength(1);
    const agent = browser();
    const late = await agent.submit(await openPassword(agent, web), { code });
    expect(late.html).toContain('used already');
  });

  test('a code of the step before or after is accepted, and no older one', async () => {
    const { app } = await enrolled();
    for (const [steps, isAccepted] of [
      [-2, false],
      [-1, true],
      [2, false],
      [1, true],
    ] as const) {
      const agent = browser();
      const end = await agent.submit(await openPassword(agent, web), { code: app.code(steps) });
      expect([steps, end.status === 0]).toEqual([steps, isAccepted]);
    }
  });

  test('a recovery code replaces the code of the app once, and never the password', async () => {
    const { recoveryCodes } = await enrolled();
    const [recoveryCode = ''] = recoveryCodes;
    const agent = browser();
    const wrong = await agent.submit(await agent.get(web.authorizationUrl()), {
      ...person,
      password: recoveryCode,
    });
    expect(wrong.status).toBe(400);
    const asked = await agent.submit(wrong, { ...person });
    const end = await agent.submit(asked, { recoveryCode: recoveryCode.toUpperCase().replaceAll('-', ' ') });
    expect(codeOf(end)).toBeTruthy();
    expect(await factorRows()).toMatchObject({ recoveryCodes: 9 });
    const other = browser();
    const again = await other.submit(await openPassword(other, web), { recoveryCode });
    expect(again.status).toBe(400);
  });

  test('the form of another sign-in is refused', async () => {
    const { app } = await enrolled();
    const [one, other] = [browser(), browser()];
    const mine = await openPassword(one, web);
    const challenge = /name="challenge" value="([^"]+)"/.exec(mine.html)?.[1] ?? '';
    const page = await openPassword(other, web);
    const end = await other.submit(page, { challenge, code: app.code() });
    expect(end.html).toContain('Sign in again');
  });

  test('the page expires, and asks for the password again', async () => {
    const { app } = await enrolled();
    const agent = browser();
    const page = await openPassword(agent, web);
    deployment.advance(301);
    const end = await agent.submit(page, { code: app.code() });
    expect(end.html).toContain('name="password"');
    expect(end.html).toContain('Sign in again');
  });

  test('a wrong password looks the same for accounts with and without a second factor', async () => {
    const without = await newPerson(deployment);
    await enrolled();
    const answers = [];
    for (const { email } of [person, without, { email: 'unknown@example.com' }]) {
      const agent = browser();
      const page = await agent.submit(await agent.get(web.authorizationUrl()), {
        email,
        password: 'not the password',
      });
      answers.push([page.status, /role="alert">([^<]*)</.exec(page.html)?.[1]]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[2]).toEqual(answers[1]);
  });
});

describe('on the account page', () => {
  const submit = (agent: UserAgent, page: Page, fields: Record<string, string>) =>
    agent.submit(formOf(page, 'second-factor'), { factorPassword: person.password, ...fields });

  test('a person adds an app with the current password, and removes it again', async () => {
    const agent = browser();
    const page = await openAccount(deployment, agent, person);
    const wrong = await submit(agent, page, { action: 'add', factorPassword: 'not the password' });
    expect(wrong.html).toContain('This isn’t your current password.');
    const offer = await submit(agent, wrong, { action: 'add' });
    const app = authenticatorOf(offer);
    const again = await agent.submit(offer, { code: '000000' });
    expect(authenticatorOf(again).code()).toBe(app.code());
    expect(await factorRows()).toBeUndefined();
    expect(recoveryCodesOf(await agent.submit(again, { code: app.code() }))).toHaveLength(10);
    deployment.advance(60);
    expect((await openPassword(browser(), web)).html).toContain('Enter the code');
    // A session that began without a second factor can't remove it.
    const account = await agent.get(`${deployment.issuer}/account`);
    expect(account.html).not.toContain('value="remove"');
    expect(account.html).toContain('Recovery codes left: 10');
    expect(account.html).toContain('Sign in again to change the second factor');
    const other = browser();
    const fresh = await other.submit(await openAccount(deployment, other, person), { code: app.code() });
    const refused = await submit(other, fresh, { action: 'remove', factorPassword: 'not the password' });
    expect(await factorRows()).toBeDefined();
    const removed = await submit(other, refused, { action: 'remove' });
    expect(noticeOf(removed)).toContain('is removed');
    expect(await factorRows()).toBeUndefined();
    expect(codeOf(await openPassword(browser(), web))).toBeTruthy();
  });

  test('new recovery codes replace the old ones', async () => {
    const { app, recoveryCodes } = await enrolled();
    const agent = browser();
    const asked = await openAccount(deployment, agent, person);
    const page = await agent.submit(asked, { code: app.code() });
    const codes = recoveryCodesOf(await submit(agent, page, { action: 'codes' }));
    expect(codes).toHaveLength(10);
    for (const [recoveryCode = '', status] of [
      [recoveryCodes[0], 400],
      [codes[0], 0],
    ] as const) {
      const other = browser();
      const end = await other.submit(await openPassword(other, web), { recoveryCode });
      expect(end.status).toBe(status);
    }
  });

  test('a new password keeps the second factor', async () => {
    const { app } = await enrolled();
    const agent = browser();
    const page = await agent.submit(await openAccount(deployment, agent, person), { code: app.code() });
    const next = 'a longer walk along the river';
    await agent.submit(formOf(page, 'password'), { currentPassword: person.password, newPassword: next });
    person = { ...person, password: next };
    expect((await openPassword(browser(), web)).html).toContain('Enter the code');
  });

  test('a password of 8 characters is enough with a second factor, and refused without one', async () => {
    const short = 'vt7 qwoz';
    const change = async (agent: UserAgent, page: Page) =>
      agent.submit(formOf(page, 'password'), { currentPassword: person.password, newPassword: short });
    const alone = browser();
    const account = await openAccount(deployment, alone, person);
    expect((await change(alone, account)).html).toContain('at least 15 characters');
    const { app } = await enrolled();
    const agent = browser();
    const page = await agent.submit(await openAccount(deployment, agent, person), { code: app.code() });
    expect(page.html).toContain('At least 8 characters');
    await change(agent, page);
    person = { ...person, password: short };
    expect((await openPassword(browser(), web)).html).toContain('Enter the code');
  });

  test('an offer is good in its own session only', async () => {
    const [one, other] = [browser(), browser()];
    const mine = await submit(one, await openAccount(deployment, one, person), { action: 'add' });
    const theirs = await submit(other, await openAccount(deployment, other, person), { action: 'add' });
    const enrolment = /name="enrolment" value="([^"]+)"/.exec(mine.html)?.[1] ?? '';
    const end = await other.submit(theirs, { enrolment, code: authenticatorOf(mine).code() });
    expect(end.html).toContain('That took too long.');
    expect(await factorRows()).toBeUndefined();
  });
});

describe('in the JSON API', () => {
  const login = (more: object = {}) =>
    callJsonApi(deployment, '/auth/login', { ...person, clientId: 'api', ...more });
  const finish = (body: object) =>
    callJsonApi(deployment, '/auth/login/second-factor', { clientId: 'api', ...body });

  test('/auth/login asks for the code, and the second step gives the tokens', async () => {
    const { app } = await enrolled();
    const asked = await login();
    expect(asked).toMatchObject({
      status: 401,
      body: {
        code: 'second_factor_required',
        challenge: expect.any(String),
        methods: ['otp', 'recovery_code'],
      },
    });
    expect(asked.body).not.toHaveProperty('accessToken');
    const { challenge } = asked.body;
    const wrong = await finish({ challenge, code: '000000' });
    expect(wrong).toMatchObject({ status: 401, body: { code: 'invalid_second_factor' } });
    const done = await finish({ challenge, code: app.code() });
    expect(done).toMatchObject({ status: 200, body: { accessToken: expect.any(String), expiresIn: 900 } });
  });

  test('a challenge is good for one sign-in, one client and five minutes', async () => {
    const { app, recoveryCodes } = await enrolled();
    const expired = { status: 401, body: { code: 'second_factor_expired' } };
    const { challenge } = (await login()).body;
    expect(await finish({ challenge, code: app.code(), clientId: 'other-api' })).toMatchObject(expired);
    const all = await Promise.all([
      ...Array.from({ length: 3 }, () => finish({ challenge, code: app.code() })),
      ...recoveryCodes.slice(0, 3).map((code) => finish({ challenge, code })),
    ]);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await finish({ challenge, code: recoveryCodes[5] })).toMatchObject(expired);
    const late = (await login()).body;
    deployment.advance(301);
    expect(await finish({ challenge: late.challenge, code: app.code() })).toMatchObject(expired);
    expect(await finish({ challenge: 'made up', code: app.code() })).toMatchObject(expired);
  });

  test('a challenge ends when the account is signed out everywhere or disabled', async () => {
    const { app } = await enrolled();
    const account = await deployment.ports.accounts.findByEmail(person.email);
    for (const change of [{ raiseTokenVersion: true }, { state: 'disabled' as const }]) {
      const { challenge } = (await login()).body;
      await deployment.unitOfWork.run(({ accounts }) =>
        accounts.update(account?.id ?? '', change, Date.now()),
      );
      expect((await finish({ challenge, code: app.code() })).status).toBeGreaterThanOrEqual(401);
    }
  });

  test('an account without a second factor is sent to a page by a client that requires one', async () => {
    const answer = await login({ clientId: 'vault-api' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'second_factor_missing' } });
    expect(answer.body).not.toHaveProperty('challenge');
    expect((await login()).status).toBe(200);
  });

  test('the password grant answers invalid_grant with the code, and takes the code as otp', async () => {
    const { app } = await enrolled();
    const api = createApp(deployment, 'api', 'public');
    const grant = (more: object = {}) =>
      api.passwordGrant({ username: person.email, password: person.password, ...more });
    expect(await grant()).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'second_factor_required' },
    });
    expect(await grant({ otp: '000000' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'invalid_second_factor' },
    });
    expect(await grant({ otp: app.code() })).toMatchObject({
      status: 200,
      body: { access_token: expect.any(String) },
    });
  });

  test('wrong codes and wrong passwords have one count, and a right password takes nothing back', async () => {
    const { app } = await enrolled();
    // A sign-in of two steps is one try: the wrong code counts, and the right password before it takes nothing back.
    let failures = 0;
    for (let tries = 0; tries < 20; tries++) {
      const { status, body } = await login(tries % 2 ? { password: 'not the password' } : {});
      if (status === 429) break;
      failures++;
      if (body.challenge)
        expect((await finish({ challenge: body.challenge, code: '000000' })).status).toBe(401);
    }
    expect(failures).toBeGreaterThanOrEqual(10);
    expect(failures).toBeLessThan(15);
    deployment.advance(120);
    const { challenge } = (await login()).body;
    // The code that follows the password need not wait, and only the first one.
    expect(await finish({ challenge, code: '000000' })).toMatchObject({ status: 401 });
    expect(await finish({ challenge, code: app.code() })).toMatchObject({ status: 429 });
    deployment.advance(120);
    const again = await login();
    expect(await finish({ challenge: again.body.challenge, code: app.code() })).toMatchObject({
      status: 200,
    });
    // The right code has taken all counts back.
    await login({ password: 'not the password' });
    expect(await login()).toMatchObject({ status: 401, body: { code: 'second_factor_required' } });
  }, 60_000);
});
