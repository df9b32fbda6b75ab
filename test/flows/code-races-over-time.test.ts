import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { holdCalls } from '../support/held-calls.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { type Parameters, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, standing } from './apps.ts';

const day = 86_400;

const clients = [
  appDocument('usual'),
  appDocument('patient', { graceSeconds: 60 }),
  appDocument('strict', { graceSeconds: 0 }),
];

let deployment: InProcess;
beforeAll(async () => {
  deployment = await startInProcess(clients);
}, 120_000);
afterAll(() => deployment?.stop());

describe('a code as time goes by', () => {
  const codeFor = (app: TestClient, parameters: Parameters = { scope: allScopes }) =>
    app.code(createUserAgent(deployment), parameters);

  test('it can be redeemed for one minute only', async () => {
    const app = createApp(deployment, 'usual');
    const [early, late] = [await codeFor(app), await codeFor(app)];
    deployment.advance(58);
    tokensOf(await app.redeem(early));
    deployment.advance(3);
    const answer = await app.redeem(late);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
  });

  // A code is spent within its minute. A thief may try it at any time after.
  test.each([
    ['usual', 9, 2],
    ['patient', 58, 4],
    ['strict', 0, 1],
    ['usual', 0, 590],
    ['patient', 0, 500],
  ])(
    '%s: after %d s a repeat ends nothing, %d s later a repeat ends the family',
    async (id, within, more) => {
      const app = createApp(deployment, id);
      const code = await codeFor(app);
      const { access_token, refresh_token } = tokensOf(await app.redeem(code));
      if (id !== 'strict') {
        deployment.advance(within);
        expect((await app.redeem(code)).body.error).toBe('invalid_grant');
        expect(await standing(deployment, app, access_token)).toBe('live');
      }
      deployment.advance(more);
      expect((await app.redeem(code)).body.error).toBe('invalid_grant');
      expect(await standing(deployment, app, access_token)).toBe('dead');
      expect((await app.refresh(refresh_token)).body.error).toBe('invalid_grant');
    },
  );

  test('a spent code is deleted after a day, and then a repeat ends nothing', async () => {
    const app = createApp(deployment, 'usual');
    const code = await codeFor(app, { scope: 'openid offline_access', prompt: 'consent' });
    const { refresh_token } = tokensOf(await app.redeem(code));
    deployment.advance(day);
    expect((await app.redeem(code)).body.error).toBe('invalid_grant');
    expect((await app.refresh(refresh_token)).status).toBe(200);
  });
});

describe.each(['usual', 'strict'])('a redemption that was delayed is not a late repeat: %s', (id) => {
  let app: TestClient;
  let code: string;
  beforeAll(() => {
    app = createApp(deployment, id);
  });

  const begin = async () => {
    code = await app.code(createUserAgent(deployment), { scope: allScopes });
  };

  /** Holds one redemption before this call of the store, answers another one, and lets time pass. */
  const heldBefore = async (method: 'find' | 'consume', secondsBefore: number, secondsAfter: number) => {
    const held = holdCalls(deployment.ports.oidcStore, method);
    const slow = app.redeem(code);
    await held.reached(1);
    held.letOthersPass();
    deployment.advance(secondsBefore);
    const first = tokensOf(await app.redeem(code));
    deployment.advance(secondsAfter);
    held.release();
    expect((await slow).body).toMatchObject({ error: 'invalid_grant' });
    return first;
  };

  test('it found the code unspent, and another redemption won longer than a grace ago', async () => {
    await begin();
    const first = await heldBefore('consume', 0, 40);
    expect(await standing(deployment, app, first.access_token)).toBe('live');
    expect((await app.refresh(first.refresh_token)).status).toBe(200);
  });

  test('it found the code unspent while another redemption was delayed for longer than a grace', async () => {
    await begin();
    const held = holdCalls(deployment.ports.oidcStore, 'consume');
    const first = app.redeem(code);
    await held.reached(1);
    deployment.advance(20);
    const second = app.redeem(code);
    await held.reached(2);
    held.releaseFirst();
    const tokens = tokensOf(await first);
    held.release();
    expect((await second).body).toMatchObject({ error: 'invalid_grant' });
    expect(await standing(deployment, app, tokens.access_token)).toBe('live');
  });

  test('it came before the code was spent, and found it spent', async () => {
    await begin();
    const first = await heldBefore('find', 1, 40);
    expect(await standing(deployment, app, first.access_token)).toBe('live');
    deployment.advance(1);
    expect((await app.redeem(code)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await standing(deployment, app, first.access_token)).toBe('dead');
  });
});
