import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type Person, type UserAgent } from '../support/user-agent.ts';
import { formOf, wrongOf } from './account-pages.ts';
import { allScopes, createApp, standing } from './apps.ts';
import { approve, beginAt, deviceFlow, enterCode, letIn, pollFor, tvDocument } from './devices.ts';

const clients = [tvDocument('tv'), tvDocument('strict-tv', { graceSeconds: 0 })];

describe('a device code as time goes by', () => {
  let deployment: InProcess;
  let tv: TestClient;
  let person: Person;
  let agent: UserAgent;
  beforeAll(async () => {
    deployment = await startInProcess(clients, { ...deviceFlow, GATEHOUSE_SIGNUP: 'true' });
    tv = createApp(deployment, 'tv');
  }, 120_000);
  afterAll(() => deployment?.stop());
  beforeEach(async () => {
    person = await newPerson(deployment);
    agent = createUserAgent(deployment);
  });

  const errorOf = async (code: string, app = tv) => (await pollFor(app, code)).body.error;

  test('it can be entered for ten minutes; then the device and the person get an expiry error', async () => {
    const [early, late] = [await beginAt(tv), await beginAt(tv)];
    deployment.advance(590);
    await approve(deployment, agent, early.user_code, person);
    expect((await pollFor(tv, early.device_code)).status).toBe(200);
    const confirmation = await enterCode(deployment, agent, late.user_code);
    deployment.advance(11);
    const expired = /^There is no such code, or it has expired/;
    expect(wrongOf(await letIn(agent, confirmation, person))).toMatch(expired);
    expect(wrongOf(await enterCode(deployment, agent, late.user_code))).toMatch(expired);
    expect(await errorOf(late.device_code)).toBe('expired_token');
    expect(await errorOf(late.device_code.replace(/^../, 'xx'))).toBe('expired_token');
    expect(await errorOf(late.device_code.replace(/\..*/, '.zzzzzzz'))).toBe('invalid_grant');
    deployment.advance(620);
    expect(await errorOf(late.device_code)).toBe('expired_token');
  });

  test('a sign-in after that time doesn’t let the device in', async () => {
    const { device_code, user_code } = await beginAt(tv);
    deployment.advance(60);
    const signIn = await agent.submit(await enterCode(deployment, agent, user_code), { confirm: 'yes' });
    deployment.advance(541);
    const consent = await agent.submit(signIn, { ...person });
    expect(wrongOf(consent)).toBe('This code has expired. Ask the device for a new one.');
    expect(await errorOf(device_code)).toBe('expired_token');
  });

  test('an approved code that the device didn’t fetch in time expires', async () => {
    const { device_code, user_code } = await beginAt(tv);
    await approve(deployment, agent, user_code, person);
    deployment.advance(601);
    expect(await errorOf(device_code)).toBe('expired_token');
  });

  test.each([
    ['tv', 9, 2],
    ['strict-tv', 0, 1],
    ['tv', 0, 500],
  ])(
    '%s: after %d s a repeat ends nothing, %d s later a repeat ends the family',
    async (id, within, more) => {
      const app = createApp(deployment, id);
      const { device_code, user_code } = await beginAt(app, `${allScopes} offline_access`);
      await approve(deployment, agent, user_code, person);
      const { access_token, refresh_token } = tokensOf(await pollFor(app, device_code));
      if (id !== 'strict-tv') {
        deployment.advance(within);
        expect(await errorOf(device_code, app)).toBe('invalid_grant');
        expect(await standing(deployment, app, access_token)).toBe('live');
      }
      deployment.advance(more);
      expect(await errorOf(device_code, app)).toBe('invalid_grant');
      expect(await standing(deployment, app, access_token)).toBe('dead');
      expect((await app.refresh(refresh_token)).body.error).toBe('invalid_grant');
    },
  );

  test('its tokens outlive the browser session, but not a new password or a withdrawn consent', async () => {
    const { device_code, user_code } = await beginAt(tv);
    await approve(deployment, agent, user_code, person);
    const { refresh_token } = tokensOf(await pollFor(tv, device_code));
    deployment.advance(15 * 86_400);
    const { access_token, refresh_token: next } = tokensOf(await tv.refresh(refresh_token));
    expect(await standing(deployment, tv, access_token)).toBe('live');

    const [approved, consented] = [await beginAt(tv), await beginAt(tv)];
    await approve(deployment, agent, approved.user_code, person);
    const account = await openAccount(deployment, agent, person);
    await agent.submit(formOf(account, 'withdraw', 'value="tv"'), {});
    expect(await errorOf(approved.device_code)).toBe('invalid_grant');
    await approve(deployment, agent, consented.user_code, person);
    const changed = { currentPassword: person.password, newPassword: 'another quiet evening in' };
    await agent.submit(formOf(await openAccount(deployment, agent, person), 'password'), changed);
    expect(await errorOf(consented.device_code)).toBe('invalid_grant');
    expect(await standing(deployment, tv, access_token)).toBe('dead');
    expect((await tv.refresh(next)).body.error).toBe('invalid_grant');
  });

  test('an address gets thirty tries, also in parallel, and then has to wait', async () => {
    await agent.get(`${deployment.issuer}/device`);
    const { user_code } = await beginAt(tv);
    const known = await enterCode(deployment, agent, user_code);
    const browsers: UserAgent[] = Array.from({ length: 45 }, () => createUserAgent(deployment));
    const forms = await Promise.all(browsers.map((each) => each.get(`${deployment.issuer}/device`)));
    const pages = await Promise.all(
      browsers.map((each, index) => each.submit(forms[index] ?? known, { user_code: 'BBBB-BBBB' })),
    );
    expect(pages.filter(({ status }) => status === 400)).toHaveLength(30);
    const refused = pages.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(15);
    expect(refused[0] && wrongOf(refused[0])).toMatch(/^Too many tries. Wait \d+ seconds, then try again.$/);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await enterCode(deployment, agent, user_code)).status).toBe(429);
    deployment.advance(121);
    // A valid code doesn't count as a try.
    for (const _ of [1, 2, 3])
      expect((await enterCode(deployment, agent, user_code)).html).toContain(`<bdi>${user_code}</bdi>`);
  });
});
