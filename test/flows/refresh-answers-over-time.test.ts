import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AccountChange } from '../../provider/ports/account-store.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { decodeJwt, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { appDocument, createApp, offline, standing } from './apps.ts';

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

const signIn = async (app: TestClient) => {
  const { access_token, refresh_token = '' } = await app.signIn(createUserAgent(deployment), offline);
  return { access: access_token, refresh: refresh_token };
};

test.each([
  ['usual', 9, 2],
  ['patient', 58, 4],
])(
  '%s: for %d s a repeat gets the same answer, %d s later a repeat ends the family and no other',
  async (id, within, more) => {
    const app = createApp(deployment, id);
    const [family, sibling] = [await signIn(app), await signIn(app)];
    const first = tokensOf(await app.refresh(family.refresh));
    deployment.advance(within);
    expect(tokensOf(await app.refresh(family.refresh))).toEqual(first);
    deployment.advance(more);
    expect((await app.refresh(family.refresh)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await app.refresh(first.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    for (const token of [family.access, first.access_token])
      expect(await standing(deployment, app, token)).toBe('dead');
    expect(await standing(deployment, app, sibling.access)).toBe('live');
    expect((await app.refresh(sibling.refresh)).status).toBe(200);
  },
);

test('without a grace a second redemption is reuse', async () => {
  const app = createApp(deployment, 'strict');
  const { refresh, access } = await signIn(app);
  const first = tokensOf(await app.refresh(refresh));
  expect((await app.refresh(refresh)).body).toMatchObject({ error: 'invalid_grant' });
  expect(await standing(deployment, app, access)).toBe('dead');
  expect((await app.refresh(first.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
});

test('each token of a chain has its own grace: a repeat ends nothing within it, and the family after it', async () => {
  const app = createApp(deployment, 'usual');
  const chain = [(await signIn(app)).refresh];
  for (let round = 0; round < 4; round += 1) {
    chain.push(tokensOf(await app.refresh(chain[round])).refresh_token ?? '');
    deployment.advance(3);
  }
  // The tokens were spent 12, 9, 6 and 3 seconds ago.
  for (const old of [chain[1], chain[2]])
    expect((await app.refresh(old)).body).toMatchObject({ error: 'invalid_grant' });
  const last = tokensOf(await app.refresh(chain[3]));
  expect(last.refresh_token).toBe(chain[4]);
  expect(await standing(deployment, app, last.access_token)).toBe('live');
  expect((await app.refresh(chain[0])).body).toMatchObject({ error: 'invalid_grant' });
  expect(await standing(deployment, app, last.access_token)).toBe('dead');
  expect((await app.refresh(chain[4])).body).toMatchObject({ error: 'invalid_grant' });
});

test('a disabled account or withdrawn consent gets no repeated answer', async () => {
  const app = createApp(deployment, 'patient');
  const { refresh } = await signIn(app);
  const first = await app.refresh(refresh);
  const { sub } = decodeJwt(String(first.body.access_token)).claims;
  const change = (changes: AccountChange) =>
    deployment.unitOfWork.run(({ accounts }) => accounts.update(String(sub), changes, Date.now()));
  const consent = await deployment.ports.consents.find(String(sub), 'patient');
  if (consent) await deployment.unitOfWork.run(({ consents }) => consents.withdraw(consent));
  expect((await app.refresh(refresh)).body).toMatchObject({ error: 'invalid_grant' });
  const other = await signIn(app);
  expect((await app.refresh(other.refresh)).status).toBe(200);
  await change({ state: 'disabled', raiseTokenVersion: true });
  expect((await app.refresh(other.refresh)).body).toMatchObject({ error: 'invalid_grant' });
  await change({ state: 'active' });
  expect((await app.refresh(other.refresh)).body).toMatchObject({ error: 'invalid_grant' });
});
