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

describe('a delayed redemption is not reuse', () => {
  test('it found the token current, and another redemption won longer than a grace ago', async () => {
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

  test('it found the token current while another redemption was delayed for longer than a grace', async () => {
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

  test('it came within the grace and was processed after it: it gets the same answer', async () => {
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

  test('a redemption after the grace is reuse, although the answer is stored a little longer', async () => {
    const app = createApp(deployment, 'usual');
    const token = await signIn(app);
    const first = await app.refresh(token);
    deployment.advance(11);
    expect(await app.refresh(token)).toMatchObject(refused);
    expect(await app.refresh(tokensOf(first).refresh_token)).toMatchObject(refused);
  });

  test('without a grace one of several parallel redemptions wins, and only a later one ends the family', async () => {
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

  test('without a grace no answer is kept, also for a process whose clock is behind', async () => {
    const app = createApp(deployment, 'strict');
    const token = await signIn(app);
    const first = await app.refresh(token);
    deployment.advance(-2);
    const repeated = await app.refresh(token);
    deployment.advance(2);
    expect(repeated).toMatchObject(refused);
    await expectLive(app, first);
  });

  test('without a grace a redemption that came before the token was spent ends nothing', async () => {
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

test('a rotation that the store lost ends nothing: its token gets invalid_grant, the previous token works', async () => {
  const app = createApp(deployment, 'usual');
  const token = await signIn(app);
  const remember = replaceMethod(familyStore(), 'rotate', async () => true);
  const lost = tokensOf(await app.refresh(token));
  remember();
  expect(await app.refresh(lost.refresh_token)).toMatchObject(refused);
  expect(await standing(deployment, app, lost.access_token)).toBe('live');
  const next = await app.refresh(token);
  // This token has the same number of uses as the lost one, but isn't the same.
  expect(await app.refresh(lost.refresh_token)).toMatchObject(refused);
  await expectLive(app, next);
});

test('a lost token can still be revoked', async () => {
  const app = createApp(deployment, 'usual');
  const token = await signIn(app);
  const remember = replaceMethod(familyStore(), 'rotate', async () => true);
  const lost = tokensOf(await app.refresh(token));
  remember();
  expect((await app.post('revoke', { token: lost.refresh_token })).status).toBe(200);
  expect(await standing(deployment, app, lost.access_token)).toBe('dead');
});

describe('a store that neither rotates nor finds a newer token', () => {
  test('is asked a second time', async () => {
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

  test('then leads to 503 at both endpoints, and the token works afterwards', async () => {
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
