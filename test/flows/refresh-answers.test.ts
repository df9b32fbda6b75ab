import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, embeddedAndThreeProcesses } from '../support/deployment.ts';
import { createDpopKey, type DpopKey } from '../support/dpop.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { signOut } from '../support/sign-in.ts';
import {
  decodeJwt,
  type JsonAnswer,
  type Parameters,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, offline, outcomesOf, standing, tally } from './apps.ts';

const clients = [
  appDocument('patient', { graceSeconds: 60 }),
  appDocument('patient-spa', { graceSeconds: 60, auth: 'none' }),
  appDocument('spa', { auth: 'none' }),
  appDocument('strict-spa', { auth: 'none', graceSeconds: 0 }),
  appDocument('own', {
    graceSeconds: 60,
    auth: 'none',
    firstParty: true,
    grants: ['authorization_code', 'refresh_token', 'password'],
  }),
];

const refused = { status: 400, body: { error: 'invalid_grant' } };

const bodies = (answers: readonly JsonAnswer[]) =>
  tally(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`));
describe.each(embeddedAndThreeProcesses)('G1, a refresh has one answer, on $name', ({ start }) => {
  let deployment: Deployment;
  let app: TestClient;
  beforeAll(async () => {
    deployment = await start({ clients });
    app = createApp(deployment, 'patient');
  }, 120_000);
  afterAll(() => deployment?.stop());

  const signIn = async (client = app, parameters: Parameters = offline) => {
    const tokens = await client.signIn(createUserAgent(deployment), parameters);
    return tokens.refresh_token ?? '';
  };
  const logIn = async () => (await apiLogin(deployment, { clientId: 'own' })).refreshToken;
  const refreshByJson = (refreshToken: string) =>
    callJsonApi(deployment, '/auth/refresh', { refreshToken, clientId: 'own' });

  test('200 parallel redemptions get the identical body, and its tokens work', async () => {
    const token = await signIn();
    const answers = await atOnce(200, () => app.refresh(token));
    expect(Object.keys(bodies(answers))).toHaveLength(1);
    const [tokens] = answers.map(tokensOf);
    expect(Object.keys(tokens ?? {}).sort()).toEqual(
      ['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type'].sort(),
    );
    expect(await standing(deployment, app, tokens?.access_token ?? '')).toBe('live');
    expect((await app.refresh(tokens?.refresh_token)).status).toBe(200);
  });

  test('40 parallel redemptions at /auth/refresh get the identical body', async () => {
    const token = await logIn();
    const answers = await atOnce(40, () => refreshByJson(token));
    expect(Object.keys(bodies(answers))).toHaveLength(1);
    expect(answers[0]?.status).toBe(200);
    expect((await refreshByJson(String(answers[0]?.body.refreshToken))).status).toBe(200);
  });

  test('a later redemption gets the same body on every process, and the same tokens at the other endpoint', async () => {
    const token = await logIn();
    const first = await refreshByJson(token);
    for (const _ of deployment.origins)
      expect(await refreshByJson(token)).toMatchObject({ body: first.body });
    const other = tokensOf(await createApp(deployment, 'own', 'public').refresh(token));
    expect(other).toMatchObject({
      access_token: first.body.accessToken,
      refresh_token: first.body.refreshToken,
    });
  });

  test('after its successor was used, the old token gets invalid_grant and ends nothing', async () => {
    const chain = [await signIn()];
    for (let round = 0; round < 3; round += 1)
      chain.push(tokensOf(await app.refresh(chain[round])).refresh_token ?? '');
    for (const old of [chain[0], chain[1]]) {
      for (const _ of deployment.origins)
        expect(await app.refresh(old)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
    const again = tokensOf(await app.refresh(chain[2]));
    expect(again.refresh_token).toBe(chain[3]);
    expect(await standing(deployment, app, again.access_token)).toBe('live');
    expect((await app.refresh(chain[3])).status).toBe(200);
  });

  test('another scope or resource gets invalid_request and ends nothing; the order of scopes doesn’t matter', async () => {
    const token = await signIn();
    const first = tokensOf(await app.refresh(token, { scope: 'openid email contracts:read' }));
    for (const other of [
      {},
      { scope: 'openid email' },
      { scope: allScopes },
      { resource: deployment.issuer },
    ])
      expect(await app.refresh(token, other)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      });
    const same = tokensOf(await app.refresh(token, { scope: 'contracts:read openid email' }));
    expect(same).toEqual(first);
    expect((await app.refresh(first.refresh_token)).status).toBe(200);
  });

  test('a scope parameter with all granted scopes equals none, in either order', async () => {
    const all = offline.scope.split(' ').reverse().join(' ');
    for (const [one, other] of [
      [{}, { scope: all }],
      [{ scope: all }, {}],
    ]) {
      const token = await signIn();
      const first = tokensOf(await app.refresh(token, one));
      expect(tokensOf(await app.refresh(token, other))).toEqual(first);
      expect((await app.refresh(token, { scope: 'openid' })).body.error).toBe('invalid_request');
    }
  });

  test('an old access token still works after its family is refreshed', async () => {
    const tokens = await app.signIn(createUserAgent(deployment), offline);
    await app.refresh(tokens.refresh_token);
    await app.refresh(tokens.refresh_token);
    expect(await standing(deployment, app, tokens.access_token)).toBe('live');
  });

  test('another client, or the client without its secret, doesn’t get the answer', async () => {
    const token = await signIn();
    const first = await app.refresh(token);
    const others = [
      createApp(deployment, 'patient-spa', 'public'),
      createApp(deployment, 'patient', 'wrong'),
    ];
    for (const other of others) {
      const { status, body } = await other.refresh(token);
      expect([status === 200, JSON.stringify(body).includes('token"')]).toEqual([false, false]);
    }
    expect((await app.refresh(token)).body).toEqual(first.body);
  });

  test('a revoked family, or one whose session ended, gets no answer', async () => {
    const [revoked, bound] = [await signIn(), await signIn(app, { scope: allScopes })];
    for (const token of [revoked, bound]) expect((await app.refresh(token)).status).toBe(200);
    await app.post('revoke', { token: revoked });
    expect(await app.refresh(revoked)).toMatchObject({ body: { error: 'invalid_grant' } });

    const agent = createUserAgent(deployment);
    const tokens = await app.signIn(agent, { scope: allScopes });
    await app.refresh(tokens.refresh_token);
    await signOut(deployment, agent, { id_token_hint: tokens.id_token ?? '' });
    expect(await app.refresh(tokens.refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } });
    expect((await app.refresh(bound)).status).toBe(200);
  });

  test('with DPoP the answer is for the key it was given to; another key gets a token of its own', async () => {
    const [mine, next] = [await createDpopKey(), await createDpopKey()];
    const url = `${deployment.issuer}/oauth2/token`;
    const proved = async (key: typeof mine, refreshToken: string) =>
      app.post(
        'token',
        { grant_type: 'refresh_token', refresh_token: refreshToken },
        await key.header('POST', url),
      );
    const token = await signIn();
    const first = await proved(mine, token);
    expect(first.body).toMatchObject({ token_type: 'DPoP' });
    expect((await proved(mine, token)).body).toEqual(first.body);
    const again = await proved(next, token);
    expect(again.body.refresh_token).toBe(first.body.refresh_token);
    expect(decodeJwt(String(again.body.access_token)).claims.cnf).toEqual({ jkt: next.thumbprint });
    expect((await proved(mine, token)).body).toEqual(first.body);
    expect((await proved(mine, String(first.body.refresh_token))).status).toBe(200);
  });

  describe("a public app's refresh token is bound to its key", () => {
    let mine: DpopKey;
    let other: DpopKey;
    beforeAll(async () => {
      [mine, other] = [await createDpopKey(), await createDpopKey()];
    });

    const proof = (key: DpopKey) => key.header('POST', `${deployment.issuer}/oauth2/token`);
    const signInWithKey = async (id: string) => {
      const app = createApp(deployment, id, 'public');
      const code = await app.code(createUserAgent(deployment), { scope: allScopes });
      const redeemed = await app.redeem(code, {}, await proof(mine));
      return { app, token: tokensOf(redeemed).refresh_token ?? '' };
    };
    const send = (app: TestClient, token = '', headers?: Record<string, string>) =>
      app.post('token', { grant_type: 'refresh_token', refresh_token: token }, headers);
    const isActive = async (app: TestClient, token: string | undefined) =>
      (await app.post('introspect', { token })).body.active;

    test('another key or no key gets nothing and spends nothing', async () => {
      const { app, token } = await signInWithKey('spa');
      expect(await send(app, token, await proof(other))).toMatchObject(refused);
      expect(await send(app, token)).toMatchObject(refused);
      const answer = await send(app, token, await proof(mine));
      expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
      expect(await send(app, tokensOf(answer).refresh_token, await proof(mine))).toMatchObject({
        status: 200,
      });
    });

    test('after the grace only its own key ends the family', async () => {
      const { app, token } = await signInWithKey('strict-spa');
      const next = tokensOf(await send(app, token, await proof(mine)));
      expect(await send(app, token, await proof(other))).toMatchObject(refused);
      expect(await send(app, token)).toMatchObject(refused);
      expect(await isActive(app, next.access_token)).toBe(true);
      const last = tokensOf(await send(app, next.refresh_token, await proof(mine)));
      expect(await send(app, token, await proof(mine))).toMatchObject(refused);
      expect(await isActive(app, last.access_token)).toBe(false);
      expect(await send(app, last.refresh_token, await proof(mine))).toMatchObject(refused);
    });

    test('of 100 parallel redemptions with the same proof one succeeds, and nothing ends', async () => {
      const { app, token } = await signInWithKey('spa');
      const once = await proof(mine);
      const given = await atOnce(100, () => send(app, token, once));
      expect(outcomesOf(given)).toEqual({ 200: 1, invalid_dpop_proof: 99 });
      const won = given.find(({ status }) => status === 200);
      expect(await isActive(app, String(won?.body.access_token))).toBe(true);
      expect((await send(app, token, await proof(mine))).body).toEqual(won?.body);
      expect(await send(app, String(won?.body.refresh_token), await proof(mine))).toMatchObject({
        status: 200,
      });
    });
  });
});
