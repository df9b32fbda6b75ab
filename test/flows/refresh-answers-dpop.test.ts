import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, threeProcesses } from '../support/deployment.ts';
import { createDpopKey, type DpopKey } from '../support/dpop.ts';
import { type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, outcomesOf } from './apps.ts';

const clients = [
  appDocument('spa', { auth: 'none' }),
  appDocument('strict-spa', { auth: 'none', graceSeconds: 0 }),
];

const refused = { status: 400, body: { error: 'invalid_grant' } };

describe.each(threeProcesses)("a public app's refresh token is bound to its key, on $name", ({ start }) => {
  let deployment: Deployment;
  let mine: DpopKey;
  let other: DpopKey;
  beforeAll(async () => {
    deployment = await start({ clients });
    [mine, other] = [await createDpopKey(), await createDpopKey()];
  }, 120_000);
  afterAll(() => deployment?.stop());

  const proof = (key: DpopKey) => key.header('POST', `${deployment.issuer}/oauth2/token`);
  const signIn = async (id: string) => {
    const app = createApp(deployment, id, 'public');
    const code = await app.code(createUserAgent(deployment), { scope: allScopes });
    const redeemed = await app.redeem(code, {}, await proof(mine));
    return { app, token: tokensOf(redeemed).refresh_token ?? '' };
  };
  const send = (app: TestClient, token = '', headers?: Record<string, string>) =>
    app.post('token', { grant_type: 'refresh_token', refresh_token: token }, headers);
  const isActive = async (app: TestClient, token: string | undefined) =>
    (await app.post('introspect', { token })).body.active;

  test('another key, or none, redeems nothing and spends nothing', async () => {
    const { app, token } = await signIn('spa');
    expect(await send(app, token, await proof(other))).toMatchObject(refused);
    expect(await send(app, token)).toMatchObject(refused);
    const answer = await send(app, token, await proof(mine));
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(await send(app, tokensOf(answer).refresh_token, await proof(mine))).toMatchObject({ status: 200 });
  });

  test('after the grace another key, or none, ends nothing; its own key does', async () => {
    const { app, token } = await signIn('strict-spa');
    const next = tokensOf(await send(app, token, await proof(mine)));
    expect(await send(app, token, await proof(other))).toMatchObject(refused);
    expect(await send(app, token)).toMatchObject(refused);
    expect(await isActive(app, next.access_token)).toBe(true);
    const last = tokensOf(await send(app, next.refresh_token, await proof(mine)));
    expect(await send(app, token, await proof(mine))).toMatchObject(refused);
    expect(await isActive(app, last.access_token)).toBe(false);
    expect(await send(app, last.refresh_token, await proof(mine))).toMatchObject(refused);
  });

  test('of 100 parallel redemptions with one and the same proof one is answered, and nothing ends', async () => {
    const { app, token } = await signIn('spa');
    const once = await proof(mine);
    const given = await atOnce(100, () => send(app, token, once));
    expect(outcomesOf(given)).toEqual({ 200: 1, invalid_grant: 99 });
    const won = given.find(({ status }) => status === 200);
    expect(await isActive(app, String(won?.body.access_token))).toBe(true);
    expect((await send(app, token, await proof(mine))).body).toEqual(won?.body);
    expect(await send(app, String(won?.body.refresh_token), await proof(mine))).toMatchObject({
      status: 200,
    });
  });
});
