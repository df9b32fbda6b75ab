import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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

describe('a code as time goes by', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess(clients);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const codeFor = (app: TestClient, parameters: Parameters = { scope: allScopes }) =>
    app.code(createUserAgent(deployment), parameters);

  test('it can be redeemed for a minute, and no longer', async () => {
    const app = createApp(deployment, 'usual');
    const [early, late] = [await codeFor(app), await codeFor(app)];
    deployment.advance(58);
    tokensOf(await app.redeem(early));
    deployment.advance(3);
    const answer = await app.redeem(late);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
  });

  // A code is spent within its minute; who stole it may come at any time after.
  test.each([
    ['usual', 9, 2],
    ['patient', 58, 4],
    ['strict', 0, 1],
    ['usual', 0, 590],
    ['patient', 0, 500],
  ])('%s: after %d s its repeat ends nothing, %d s later it ends the family', async (id, within, more) => {
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
  });

  test('a spent code is forgotten in the end, and its repeat ends nothing any more', async () => {
    const app = createApp(deployment, 'usual');
    const code = await codeFor(app, { scope: 'openid offline_access', prompt: 'consent' });
    const { refresh_token } = tokensOf(await app.redeem(code));
    deployment.advance(day);
    expect((await app.redeem(code)).body.error).toBe('invalid_grant');
    expect((await app.refresh(refresh_token)).status).toBe(200);
  });
});
