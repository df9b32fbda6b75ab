import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Deployment, oneProcess, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi, getProfile } from '../support/json-api.ts';
import {
  createTestClient,
  demoApps,
  type TestClient,
  type Tokens,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, changeClient, createApp, removeClient, standing, tally } from './apps.ts';

const clients = [
  appDocument('web', { graceSeconds: 0 }),
  appDocument('spa', { auth: 'none' }),
  appDocument('other'),
  appDocument('own-too', {
    auth: 'none',
    firstParty: true,
    grants: ['refresh_token', 'password'],
    redirectUris: [],
  }),
];

let deployment: Deployment;
let web: TestClient;
let spa: TestClient;
let other: TestClient;
let agent: UserAgent;
beforeAll(async () => {
  deployment = await startServers({ clients });
  web = createApp(deployment, 'web');
  spa = createApp(deployment, 'spa', 'public');
  other = createApp(deployment, 'other');
  agent = createUserAgent(deployment);
}, 120_000);
afterAll(() => deployment?.stop());

const signIn = (app: TestClient, scope = allScopes) => app.signIn(agent, { scope });
const live = (app: TestClient, token: string) => standing(deployment, app, token);

describe('revoking (RFC 7009)', () => {
  test.each([undefined, 'access_token', 'refresh_token', 'something_else'])(
    'an access token ends that token alone (hint: %s)',
    async (token_type_hint) => {
      for (const app of [web, spa]) {
        const first = await signIn(app);
        const second = tokensOf(await app.refresh(first.refresh_token));
        const answer = await app.post('revoke', { token: first.access_token, token_type_hint });
        expect(answer).toMatchObject({ status: 200, body: {} });
        expect(await live(app, first.access_token)).toBe('dead');
        expect(await live(app, second.access_token)).toBe('live');
        expect((await app.refresh(second.refresh_token)).status).toBe(200);
      }
    },
  );

  test.each([undefined, 'access_token', 'refresh_token'])(
    'a refresh token ends its family, and no other (hint: %s)',
    async (token_type_hint) => {
      for (const app of [web, spa]) {
        const [first, sibling] = [await signIn(app), await signIn(app)];
        const second = tokensOf(await app.refresh(first.refresh_token));
        const answer = await app.post('revoke', { token: second.refresh_token, token_type_hint });
        expect(answer).toMatchObject({ status: 200, body: {} });
        expect((await app.refresh(second.refresh_token)).body.error).toBe('invalid_grant');
        expect(await live(app, first.access_token)).toBe('dead');
        expect(await live(app, second.access_token)).toBe('dead');
        expect(await live(app, sibling.access_token)).toBe('live');
        expect((await app.refresh(sibling.refresh_token)).status).toBe(200);
      }
    },
  );

  test('a spent refresh token also ends its family, because the answer with its successor may be lost', async () => {
    const first = await signIn(web);
    const second = tokensOf(await web.refresh(first.refresh_token));
    await other.post('revoke', { token: first.refresh_token });
    expect(await live(web, second.access_token)).toBe('live');
    await web.post('revoke', { token: first.refresh_token });
    expect(await live(web, second.access_token)).toBe('dead');
    expect((await web.refresh(second.refresh_token)).body.error).toBe('invalid_grant');
  });

  test("another client's token gets 200 and stays alive", async () => {
    const tokens = await signIn(web);
    for (const app of [other, spa]) {
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        expect(await app.post('revoke', { token })).toMatchObject({ status: 200, body: {} });
      }
    }
    expect(await live(web, tokens.access_token)).toBe('live');
    expect((await web.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test('an unknown or revoked token gets 200', async () => {
    const { id_token, refresh_token } = await signIn(web);
    await web.post('revoke', { token: refresh_token });
    const unsigned = `${id_token?.split('.').slice(0, 2).join('.')}.`;
    for (const token of ['nonsense', 'a.b.c', 'at~AAAA', unsigned, id_token, refresh_token, '💥']) {
      expect(await web.post('revoke', { token })).toMatchObject({ status: 200, body: {} });
    }
  });

  test('needs client authentication and a token', async () => {
    const { access_token } = await signIn(web);
    const impostor = createApp(deployment, 'web', 'another-secret');
    expect(await impostor.post('revoke', { token: access_token })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(await web.post('revoke', {})).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await live(web, access_token)).toBe('live');
  });

  test("ends a machine's token alone", async () => {
    const service = createTestClient(deployment, demoApps.service);
    const issue = async () => tokensOf(await service.clientCredentials());
    const [first, second] = [await issue(), await issue()];
    await service.post('revoke', { token: first.access_token });
    const active = async (token: string) => (await service.post('introspect', { token })).body.active;
    expect([await active(first.access_token), await active(second.access_token)]).toEqual([false, true]);
  });

  test('on one process counts at once on the other', async () => {
    const [one, two] = [0, 1].map((index) => createApp(oneProcess(deployment, index), 'web'));
    if (!one || !two) throw new Error('this needs two processes');
    const seen: unknown[] = [];
    for (let round = 0; round < 10; round += 1) {
      const { access_token: token, refresh_token } = await signIn(web);
      const [revokes, looks] = round % 2 === 0 ? [one, two] : [two, one];
      await revokes.post('revoke', { token: round % 4 < 2 ? token : refresh_token });
      seen.push((await looks.post('introspect', { token })).body.active);
    }
    expect(tally(seen)).toEqual({ false: 10 });
  });
});

describe('POST /auth/logout', () => {
  const logIn = async () => {
    const { accessToken, refreshToken } = await apiLogin(deployment);
    return { access_token: accessToken, refresh_token: refreshToken };
  };
  const refresh = async (refreshToken: string | undefined) =>
    (await callJsonApi(deployment, '/auth/refresh', { refreshToken })).status;
  const firstParty = () => createTestClient(deployment, demoApps.firstParty);
  const logOut = async (refreshToken: string | undefined, clientId?: string) =>
    (await callJsonApi(deployment, '/auth/logout', { refreshToken, clientId })).status;

  test('ends the family of a current or spent token, and no other', async () => {
    const sibling = await logIn();
    for (const spent of [false, true]) {
      const first = await logIn();
      const second = tokensOf(await firstParty().refresh(first.refresh_token));
      expect(await logOut(spent ? first.refresh_token : second.refresh_token)).toBe(204);
      expect(await live(firstParty(), first.access_token)).toBe('dead');
      expect(await live(firstParty(), second.access_token)).toBe('dead');
      expect(await refresh(second.refresh_token)).toBe(401);
      expect(await logOut(second.refresh_token)).toBe(204);
    }
    expect(await live(firstParty(), sibling.access_token)).toBe('live');
    expect(await refresh(sibling.refresh_token)).toBe(200);
  });

  test('gives the same answer for unknown tokens, and doesn’t end the tokens of other clients', async () => {
    const mine = await logIn();
    const third = await signIn(web);
    expect(await logOut('nonsense')).toBe(204);
    expect(await logOut(mine.access_token)).toBe(400);
    expect(await logOut(third.refresh_token)).toBe(204);
    expect(await logOut(mine.refresh_token, 'own-too')).toBe(204);
    expect(await live(firstParty(), mine.access_token)).toBe('live');
    expect(await refresh(mine.refresh_token)).toBe(200);
    expect(await live(web, third.access_token)).toBe('live');
    expect((await web.refresh(third.refresh_token)).status).toBe(200);
  });
});

describe('introspection (RFC 7662)', () => {
  let tokens: Tokens;
  beforeEach(async () => {
    tokens = await signIn(web);
  });

  test("describes a client's own tokens", async () => {
    const { body } = await web.post('introspect', { token: tokens.access_token });
    expect(body).toMatchObject({
      active: true,
      iss: deployment.issuer,
      aud: deployment.audience,
      client_id: 'web',
      sub: expect.stringMatching(/^user_/),
      jti: expect.any(String),
      token_type: 'Bearer',
      permissions: ['contracts:read'],
    });
    expect(new Set(String(body.scope).split(' '))).toEqual(new Set(allScopes.split(' ')));
    expect(Number(body.exp) - Number(body.iat)).toBe(900);
    const refresh = await web.post('introspect', { token: tokens.refresh_token });
    expect(refresh.body).toMatchObject({ active: true, client_id: 'web' });
    expect(JSON.stringify(refresh.body)).not.toContain(tokens.refresh_token?.split('.')[1]);
    const idToken = await web.post('introspect', { token: tokens.id_token });
    expect(idToken.body).toEqual({ active: false });
  });

  test("reveals nothing about another client's tokens, unless the client document allows it", async () => {
    for (const app of [other, spa]) {
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        const { status, body } = await app.post('introspect', { token });
        expect([status, body]).toEqual([200, { active: false }]);
      }
    }
  });

  test('answers an API for its own audience only', async () => {
    const [id, introspects] = ['the-api', [deployment.audience]];
    const nothing = { grants: [], scopes: [], redirectUris: [], postLogoutRedirectUris: [] };
    await changeClient(deployment, id, { ...nothing, introspects });
    const api = createApp(deployment, id);
    const active = async (token: string | undefined) => {
      const { status, body } = await api.post('introspect', { token });
      return status === 200 ? body.active : status;
    };
    await waitFor(async () => {
      const answers = await Promise.all(deployment.origins.map(() => active('nonsense')));
      return answers.every((answer) => answer === false);
    });
    const forUserinfo = await signIn(web, 'openid email');
    expect(await active(tokens.access_token)).toBe(true);
    expect(await active(tokens.refresh_token)).toBe(false);
    expect(await active(forUserinfo.access_token)).toBe(false);
    // A client that may introspect a token may not revoke it.
    await api.post('revoke', { token: tokens.access_token });
    expect(await active(tokens.access_token)).toBe(true);
    await web.post('revoke', { token: tokens.access_token });
    expect(await active(tokens.access_token)).toBe(false);
  });
});

test('the tokens of a removed client are dead at every endpoint', async () => {
  await changeClient(deployment, 'leaving', {});
  const leaving = createApp(deployment, 'leaving');
  // Each call goes to the next process, so as many calls in a row reach every one.
  const everywhere = async (status: number, ask: () => Promise<number>) => {
    for (const _ of deployment.origins) if ((await ask()) !== status) return false;
    return true;
  };
  const known = async () => (await leaving.post('introspect', { token: 'none' })).status;
  await waitFor(() => everywhere(200, known));
  const { access_token } = await signIn(leaving);
  const profile = async () => {
    const answer = await getProfile(deployment, access_token);
    await answer.arrayBuffer();
    return answer.status;
  };
  expect(await everywhere(200, profile)).toBe(true);
  await removeClient(deployment, 'leaving');
  await waitFor(() => everywhere(401, profile));
});
