import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { decodeJwt, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, changeClient, createApp, standing, tally } from './apps.ts';

const ownApp = {
  auth: 'none',
  firstParty: true,
  grants: ['authorization_code', 'refresh_token', 'password'],
};
const clients = [
  appDocument('web', { graceSeconds: 0 }),
  appDocument('spa', { graceSeconds: 0, auth: 'none' }),
  appDocument('own', { graceSeconds: 0, ...ownApp }),
  appDocument('own-too', { graceSeconds: 0, ...ownApp }),
  appDocument('shrinking', { graceSeconds: 0 }),
  appDocument('retiring', { scopes: ['openid', 'email', 'profile', 'contracts:read'] }),
];

describe('families of refresh tokens, on two processes', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ clients });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const send = (path: string, body: object) => callJsonApi(deployment, path, body);

  /** Ways to refresh. Each returns the next tokens, or the error. */
  const web = () => createApp(deployment, 'web');
  const spa = () => createApp(deployment, 'spa', 'public');
  const own = () => createApp(deployment, 'own', 'public');
  const byTokenEndpoint = (app: TestClient) => async (token: string) => {
    const { status, body } = await app.refresh(token);
    return { status, code: body.error, access: String(body.access_token), next: String(body.refresh_token) };
  };
  const byJsonApi = async (refreshToken: string) => {
    const { status, body } = await send('/auth/refresh', { refreshToken, clientId: 'own' });
    return { status, code: body.code, access: String(body.accessToken), next: String(body.refreshToken) };
  };
  const signedIn = async (app: TestClient, agent = createUserAgent(deployment)) => {
    const tokens = await app.signIn(agent, { scope: allScopes });
    return { access: tokens.access_token, refresh: tokens.refresh_token ?? '' };
  };
  const loggedIn = async () => {
    const { accessToken, refreshToken } = await apiLogin(deployment, { clientId: 'own' });
    return { access: accessToken, refresh: refreshToken };
  };
  const ways = {
    'a confidential client': () => ({
      app: web(),
      begin: () => signedIn(web()),
      steps: [byTokenEndpoint(web())],
    }),
    'a public client': () => ({ app: spa(), begin: () => signedIn(spa()), steps: [byTokenEndpoint(spa())] }),
    'the JSON API': () => ({ app: own(), begin: loggedIn, steps: [byJsonApi] }),
    'the JSON API and the token endpoint by turns': () => ({
      app: own(),
      begin: loggedIn,
      steps: [byTokenEndpoint(own()), byJsonApi],
    }),
  };
  const names = Object.keys(ways) as (keyof typeof ways)[];

  /** Refreshes four times. Returns all access tokens and all refresh tokens, the current one last. */
  async function refreshed(name: keyof typeof ways) {
    const { app, begin, steps } = ways[name]();
    const first = await begin();
    const [access, refresh] = [[first.access], [first.refresh]];
    for (let round = 0; round < 4; round += 1) {
      const answer = await steps[round % steps.length]?.(refresh.at(-1) ?? '');
      expect(answer).toMatchObject({ status: 200 });
      access.push(answer?.access ?? '');
      refresh.push(answer?.next ?? '');
    }
    return { app, access, refresh, step: steps[0] as (token: string) => ReturnType<typeof byJsonApi> };
  }

  test.each(names)('%s gets a new refresh token at every use', async (name) => {
    const { app, access, refresh } = await refreshed(name);
    expect(new Set(refresh).size).toBe(5);
    expect(new Set(access).size).toBe(5);
    expect(await standing(deployment, app, access[0] ?? '')).toBe('live');
    expect(await standing(deployment, app, access[4] ?? '')).toBe('live');
  });

  test.each(names.flatMap((name) => [[name, 1] as const, [name, 4] as const]))(
    'by %s, reuse of a token spent %d uses ago ends its family and no other of that person and client',
    async (name, ago) => {
      const [family, sibling] = [await refreshed(name), await refreshed(name)];
      const spent = family.refresh.at(-1 - ago) ?? '';
      expect((await family.step(spent)).code).toBe('invalid_grant');
      expect((await family.step(family.refresh.at(-1) ?? '')).code).toBe('invalid_grant');
      expect(await standing(deployment, family.app, family.access[0] ?? '')).toBe('dead');
      expect(await standing(deployment, family.app, family.access[4] ?? '')).toBe('dead');
      expect(await standing(deployment, sibling.app, sibling.access[4] ?? '')).toBe('live');
      expect((await sibling.step(sibling.refresh.at(-1) ?? '')).status).toBe(200);
    },
  );

  test("reuse doesn't end another family of the same browser session or app", async () => {
    const agent = createUserAgent(deployment);
    const [family, sibling] = [await signedIn(web(), agent), await signedIn(web(), agent)];
    const elsewhere = await signedIn(spa(), agent);
    const sessionOf = ({ access }: { access: string }) => decodeJwt(access).claims.sid;
    expect(sessionOf(sibling)).toBe(sessionOf(family));
    const next = tokensOf(await web().refresh(family.refresh));
    expect((await web().refresh(family.refresh)).body.error).toBe('invalid_grant');
    for (const token of [family.access, next.access_token])
      expect(await standing(deployment, web(), token)).toBe('dead');
    expect((await web().refresh(next.refresh_token)).body.error).toBe('invalid_grant');
    for (const [app, { access, refresh }] of [
      [web(), sibling],
      [spa(), elsewhere],
    ] as const) {
      expect(await standing(deployment, app, access)).toBe('live');
      expect((await app.refresh(refresh)).status).toBe(200);
    }
  });

  test('a forged token of a live family gets nothing and ends nothing', async () => {
    const [mine, other] = [await signedIn(web()), await signedIn(web())];
    const [id, count, rest = ''] = mine.refresh.split(/[.~]/);
    const [otherId, , otherRest] = other.refresh.split(/[.~]/);
    const forged = [
      `${id}.${count}~${'A'.repeat(43)}${rest.slice(43)}`,
      `${id}.${count}~${'A'.repeat(rest.length)}`,
      `${id}.1~${rest}`,
      `${id}.-1~${rest}`,
      `${id}.${rest}`,
      `${id}.${count}~${otherRest}`,
      `${otherId}.${count}~${rest}`,
      `${id}.${count}~${rest}A`,
      `${id}.${count}~`,
      `${id}.`,
      `${id}`,
      rest,
      `${mine.refresh}\u0000`,
    ];
    for (const token of forged) {
      expect((await web().refresh(token)).body).toMatchObject({ error: 'invalid_grant' });
    }
    for (const { refresh, access } of [mine, other]) {
      expect(await standing(deployment, web(), access)).toBe('live');
      expect((await web().refresh(refresh)).status).toBe(200);
    }
  });

  test("another client's token, current or spent, gets nothing and ends nothing", async () => {
    const mine = await refreshed('a confidential client');
    const theirs = await refreshed('the JSON API');
    for (const token of mine.refresh) expect((await spa().refresh(token)).body.error).toBe('invalid_grant');
    for (const refreshToken of theirs.refresh) {
      const { body } = await send('/auth/refresh', { refreshToken, clientId: 'own-too' });
      expect(body.code).toBe('invalid_grant');
    }
    expect((await mine.step(mine.refresh.at(-1) ?? '')).status).toBe(200);
    expect((await theirs.step(theirs.refresh.at(-1) ?? '')).status).toBe(200);
  });

  test('of parallel refreshes without a grace at most one succeeds, and its tokens work together or not at all', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { refresh } = await signedIn(web());
      const answers = await atOnce(20, () => web().refresh(refresh));
      const [won] = answers.filter(({ status }) => status === 200);
      const lost = answers.filter(({ status }) => status !== 200);
      expect(lost.length).toBeGreaterThanOrEqual(19);
      expect(tally(lost.map(({ status, body }) => `${status} ${body.error}`))).toEqual({
        '400 invalid_grant': lost.length,
      });
      if (!won) continue;
      const tokens = tokensOf(won);
      const said = await standing(deployment, web(), tokens.access_token);
      const { status } = await web().refresh(tokens.refresh_token);
      expect([said, status]).toEqual(status === 200 ? ['live', 200] : ['dead', 400]);
    }
  });

  test('a refresh may ask for fewer scopes, the next one has them all again, and more are refused', async () => {
    const { refresh } = await signedIn(web());
    const more = await web().refresh(refresh, { scope: `${allScopes} contracts:write` });
    expect([more.status, more.body.error]).toEqual([400, 'invalid_scope']);
    const fewer = tokensOf(await web().refresh(refresh, { scope: 'openid email' }));
    expect(fewer.scope).toBe('openid email');
    expect(decodeJwt(fewer.access_token).claims).toMatchObject({
      aud: deployment.issuer,
      scope: 'openid email',
    });
    const all = tokensOf(await web().refresh(fewer.refresh_token));
    expect(new Set(all.scope?.split(' '))).toEqual(new Set(allScopes.split(' ')));
    expect(decodeJwt(all.access_token).claims.aud).toBe(deployment.audience);
  });

  test('a family loses the scopes and grants that its client document loses, at the next refresh', async () => {
    const apps = [createApp(deployment, 'shrinking'), createApp(deployment, 'retiring')] as const;
    const [shrinking, retiring] = [await signedIn(apps[0]), await signedIn(apps[1])];
    await changeClient(deployment, 'shrinking', { scopes: ['openid', 'profile'] });
    await changeClient(deployment, 'retiring', { grants: ['authorization_code'] });
    let current = shrinking.refresh;
    const narrowed = await waitFor(async () => {
      const tokens = tokensOf(await apps[0].refresh(current));
      current = tokens.refresh_token ?? '';
      return tokens.scope === 'openid profile' && tokens.access_token;
    });
    expect(decodeJwt(narrowed || '').claims).toMatchObject({ aud: deployment.issuer });
    const refused = { status: 400, body: { error: 'unauthorized_client' } };
    await waitFor(async () => {
      const answers = await Promise.all(deployment.origins.map(() => apps[1].refresh('nonsense')));
      return answers.every(({ body }) => body.error === refused.body.error);
    });
    expect(await apps[1].refresh(retiring.refresh)).toMatchObject(refused);
  });
});
