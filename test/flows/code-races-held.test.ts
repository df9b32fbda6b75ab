import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { holdCalls } from '../support/held-calls.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, standing } from './apps.ts';

const clients = [appDocument('usual'), appDocument('strict', { graceSeconds: 0 })];

describe.each(['usual', 'strict'])('a redemption of a code that was held up is no late repeat: %s', (id) => {
  let deployment: InProcess;
  let app: TestClient;
  let code: string;
  beforeAll(async () => {
    deployment = await startInProcess(clients);
    app = createApp(deployment, id);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const begin = async () => {
    code = await app.code(createUserAgent(deployment), { scope: allScopes });
  };

  /** One redemption is held before this call of the store, another is answered, and time passes. */
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

  test('it found the code unspent, and lost to another longer than a grace ago', async () => {
    await begin();
    const first = await heldBefore('consume', 0, 40);
    expect(await standing(deployment, app, first.access_token)).toBe('live');
    expect((await app.refresh(first.refresh_token)).status).toBe(200);
  });

  test('it found the code unspent while another, held up longer than a grace, was about to spend it', async () => {
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
