import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { holdCalls, replaceMethod } from '../support/held-calls.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { type JsonAnswer, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { appDocument, createApp, offline, standing } from './apps.ts';

const clients = [
  appDocument('usual'),
  appDocument('strict', { graceSeconds: 0 }),
  appDocument('own', { auth: 'none', firstParty: true, grants: ['refresh_token', 'password'] }),
];

const refused = { status: 400, body: { error: 'invalid_grant' } };

let deployment: InProcess;
beforeAll(async () => {
  deployment = await startInProcess(clients);
}, 120_000);
afterAll(() => deployment?.stop());

const signIn = async (app: TestClient) => {
  const tokens = await app.signIn(createUserAgent(deployment), offline);
  return tokens.refresh_token ?? '';
};

const expectLive = async (app: TestClient, answer: JsonAnswer) => {
  const { access_token, refresh_token } = tokensOf(answer);
  expect(await standing(deployment, app, access_token)).toBe('live');
  expect((await app.refresh(refresh_token)).status).toBe(200);
};

const familyStore = () => deployment.ports.families;

describe('a redemption that was held up is no reuse', () => {
  test('it saw the token current, and lost to another longer than a grace ago', async () => {
    const app = createApp(deployment, 'usual');
    const token = await signIn(app);
    const held = holdCalls(familyStore(), 'rotate');
    const slow = app.refresh(token);
    await held.reached(1);
    held.letOthersPass();
    const first = await app.refresh(token);
    deployment.advance(60);
    held.release();
    expect(await slow).toMatchObject(refused);
    await expectLive(app, first);
  });

  test('it saw the token current while another, held up longer than a grace, was about to spend it', async () => {
    const app = createApp(deployment, 'usual');
    const token = await signIn(app);
    const held = holdCalls(familyStore(), 'rotate');
    const first = app.refresh(token);
    await held.reached(1);
    deployment.advance(20);
    const second = app.refresh(token);
    await held.reached(2);
    held.releaseFirst();
    const answer = await first;
    held.release();
    expect(await second).toMatchObject(refused);
    await expectLive(app, answer);
  });

  test('it came within the grace and is judged a little later: it gets the answer', async () => {
    const app = createApp(deployment, 'usual');
    const token = await signIn(app);
    const first = await app.refresh(token);
    deployment.advance(9);
    const held = holdCalls(familyStore(), 'find');
    const slow = app.refresh(token);
    await held.reached(1);
    deployment.advance(4);
    held.release();
    expect(await slow).toMatchObject({ status: 200, body: first.body });
    await expectLive(app, first);
  });

  test('one that came after the grace is, though its answer is kept a little longer', async () => {
    const app = createApp(deployment, 'usual');
    const token = await signIn(app);
    const first = await app.refresh(token);
    deployment.advance(11);
    expect(await app.refresh(token)).toMatchObject(refused);
    expect(await app.refresh(tokensOf(first).refresh_token)).toMatchObject(refused);
  });

  test('without a grace one of those that saw it current wins, and nothing ends until it comes again', async () => {
    const app = createApp(deployment, 'strict');
    const token = await signIn(app);
    const held = holdCalls(familyStore(), 'rotate');
    const all = Promise.all([1, 2, 3].map(() => app.refresh(token)));
    await held.reached(3);
    held.release();
    const answers = await all;
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const lost of answers.filter(({ status }) => status !== 200)) expect(lost).toMatchObject(refused);
    const { access_token = '' } = tokensOf(won[0] as JsonAnswer);
    expect(await standing(deployment, app, access_token)).toBe('live');
    deployment.advance(1);
    expect(await app.refresh(token)).toMatchObject(refused);
    expect(await standing(deployment, app, access_token)).toBe('dead');
  });

  test('without a grace one that came before the token was spent, and found it spent, ends nothing', async () => {
    const app = createApp(deployment, 'strict');
    const token = await signIn(app);
    const held = holdCalls(familyStore(), 'find');
    const slow = app.refresh(token);
    await held.reached(1);
    held.letOthersPass();
    deployment.advance(1);
    const first = await app.refresh(token);
    held.release();
    expect(await slow).toMatchObject(refused);
    await expectLive(app, first);
  });
});

test('a rotation that the store forgot ends nothing: its token gets invalid_grant, the one before goes on', async () => {
  const app = createApp(deployment, 'usual');
  const token = await signIn(app);
  const remember = replaceMethod(familyStore(), 'rotate', async () => true);
  const lost = tokensOf(await app.refresh(token));
  remember();
  expect(await app.refresh(lost.refresh_token)).toMatchObject(refused);
  expect(await standing(deployment, app, lost.access_token)).toBe('live');
  const next = await app.refresh(token);
  // As many uses as the forgotten one, and another.
  expect(await app.refresh(lost.refresh_token)).toMatchObject(refused);
  await expectLive(app, next);
});

test('who holds a forgotten token signs out with it', async () => {
  const app = createApp(deployment, 'usual');
  const token = await signIn(app);
  const remember = replaceMethod(familyStore(), 'rotate', async () => true);
  const lost = tokensOf(await app.refresh(token));
  remember();
  expect((await app.post('revoke', { token: lost.refresh_token })).status).toBe(200);
  expect(await standing(deployment, app, lost.access_token)).toBe('dead');
});

describe('a store that says neither yes nor no', () => {
  test('is asked once more', async () => {
    const app = createApp(deployment, 'usual');
    const token = await signIn(app);
    let refusals = 0;
    const restore = replaceMethod(familyStore(), 'rotate', async (rotate, args) => {
      refusals += 1;
      return refusals === 1 ? false : rotate(...args);
    });
    const answer = await app.refresh(token);
    restore();
    await expectLive(app, answer);
  });

  test('and then said to be away, at both doors; the token is good afterwards', async () => {
    const app = createApp(deployment, 'own', 'public');
    const { refreshToken } = await apiLogin(deployment, { clientId: 'own' });
    const restore = replaceMethod(familyStore(), 'rotate', async () => false);
    const away = await app.refresh(refreshToken);
    const byJson = await callJsonApi(deployment, '/auth/refresh', { refreshToken, clientId: 'own' });
    restore();
    expect(away).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(away.headers.get('retry-after')).toBe('2');
    expect(byJson).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
    expect((await app.refresh(refreshToken)).status).toBe(200);
  });
});
