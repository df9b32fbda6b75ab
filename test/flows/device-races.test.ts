import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentOf, eventsOf, runCommand, type SessionDocument } from '../cli/session-commands.ts';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, demo, threeProcesses } from '../support/deployment.ts';
import { newPerson } from '../support/sign-in.ts';
import { decodeJwt, type JsonAnswer, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { headingOf } from './account-pages.ts';
import { createApp, outcomesOf, standing, tally } from './apps.ts';
import { approve, beginAt, deviceFlow, enterCode, letIn, pollFor, tvDocument } from './devices.ts';

const clients = [
  tvDocument('patient-tv', { graceSeconds: 60 }),
  tvDocument('brief-tv', {
    graceSeconds: 60,
    grants: ['device_code'],
    scopes: ['openid', 'email', 'profile', 'contracts:read'],
  }),
  tvDocument('strict-tv', { graceSeconds: 0 }),
  tvDocument('own-tv', { firstParty: true }),
];

const headings = (pages: Page[]) => tally(pages.map((page) => headingOf(page)));

describe.each(threeProcesses)('G2, a device code is spent once, on $name', ({ start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start({ clients, env: deviceFlow });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const approvedCode = async (app: TestClient) => {
    const { device_code, user_code } = await beginAt(app);
    await approve(deployment, createUserAgent(deployment), user_code, demo);
    return device_code;
  };

  test('of 100 parallel polls one succeeds, and its tokens work', async () => {
    const app = createApp(deployment, 'patient-tv');
    const code = await approvedCode(app);
    const given = await atOnce(100, () => pollFor(app, code));
    expect(outcomesOf(given)).toEqual({ 200: 1, invalid_grant: 99 });
    const tokens = tokensOf(given.find(({ status }) => status === 200) as JsonAnswer);
    expect(await standing(deployment, app, tokens.access_token)).toBe('live');
    const refreshed = tokensOf(await app.refresh(tokens.refresh_token));
    expect(await standing(deployment, app, refreshed.access_token)).toBe('live');
  });

  test('of 40 parallel polls of a client without refresh tokens one succeeds', async () => {
    const app = createApp(deployment, 'brief-tv');
    const code = await approvedCode(app);
    const given = await atOnce(40, () => pollFor(app, code));
    expect(outcomesOf(given)).toEqual({ 200: 1, invalid_grant: 39 });
    const { body } = given.find(({ status }) => status === 200) as JsonAnswer;
    expect(await standing(deployment, app, String(body.access_token))).toBe('live');
  });

  test("if a lost poll ends the family during the winning one, the winner's tokens work together or not at all", async () => {
    const app = createApp(deployment, 'strict-tv');
    for (let round = 0; round < 8; round += 1) {
      const code = await approvedCode(app);
      const given = await atOnce(3, () => pollFor(app, code));
      const won = given.filter(({ status }) => status === 200);
      expect(won.length).toBeLessThanOrEqual(1);
      expect(outcomesOf(given.filter(({ status }) => status !== 200))).toEqual({
        invalid_grant: 3 - won.length,
      });
      for (const answer of won) {
        const tokens = tokensOf(answer);
        const { body } = await app.post('introspect', { token: tokens.access_token });
        expect((await app.refresh(tokens.refresh_token)).status).toBe(body.active ? 200 : 400);
      }
    }
  });

  test('of parallel polls during the person’s decision one succeeds, and the others get only expected errors', async () => {
    const app = createApp(deployment, 'patient-tv');
    const { device_code, user_code } = await beginAt(app);
    const confirmation = await enterCode(deployment, createUserAgent(deployment), user_code);
    const [given] = await Promise.all([
      atOnce(60, () => pollFor(app, device_code)),
      letIn(createUserAgent(deployment), confirmation, demo).catch(() => undefined),
      approve(deployment, createUserAgent(deployment), user_code, demo),
    ]);
    const later = await atOnce(3, () => pollFor(app, device_code));
    const all = outcomesOf([...given, ...later]);
    expect(all[200]).toBe(1);
    expect(
      Object.keys(all).filter(
        (name) => !['200', 'authorization_pending', 'slow_down', 'invalid_grant'].includes(name),
      ),
    ).toEqual([]);
  });

  test('of 12 browsers that decide about one code in parallel, one succeeds', async () => {
    const app = createApp(deployment, 'own-tv');
    const { device_code, user_code } = await beginAt(app);
    const waiting: { page: Page; browser: ReturnType<typeof createUserAgent> }[] = [];
    for (let index = 0; index < 12; index += 1) {
      const browser = createUserAgent(deployment);
      await approve(deployment, browser, (await beginAt(app)).user_code, demo);
      waiting.push({ browser, page: await enterCode(deployment, browser, user_code) });
    }
    const pages = await Promise.all(
      waiting.map(({ browser, page }, index) =>
        browser.submit(page, index % 2 ? { confirm: 'yes' } : { abort: 'yes' }),
      ),
    );
    const decided = headings(pages);
    expect(decided['Let a device sign in']).toBe(11);
    const isIn = decided['Your device is signed in'] === 1;
    expect((await pollFor(app, device_code)).body.error).toBe(isIn ? undefined : 'access_denied');
  });

  test('the events and the list of sign-ins are those of the code flow', async () => {
    const app = createApp(deployment, 'patient-tv');
    const person = await newPerson(deployment);
    const { device_code, user_code } = await beginAt(app);
    await approve(deployment, createUserAgent(deployment), user_code, person);
    const { access_token, refresh_token } = tokensOf(await pollFor(app, device_code));
    const { sub, family } = decodeJwt(access_token).claims;
    const listed = async () => {
      const list = await runCommand(deployment, ['sessions', 'list', person.email, '--json']);
      const { sessions } = documentOf<{ sessions: SessionDocument[] }>(list);
      return sessions.filter(({ kind }) => kind === 'app');
    };
    // The entry has no session, because it doesn't end with the browser's session.
    await waitFor(async () => (await listed()).length > 0, { what: 'the entry, written beside the answer' });
    expect(await listed()).toMatchObject([{ id: family, clientId: 'patient-tv', sessionId: null }]);
    await app.post('revoke', { token: refresh_token });
    expect(await listed()).toEqual([]);
    for (const type of ['user.login', 'consent.granted', 'family.ended'])
      await waitFor(
        () => eventsOf(deployment, type, String(sub)).some(({ data }) => data.clientId === 'patient-tv'),
        { what: type },
      );
  }, 120_000);
});
