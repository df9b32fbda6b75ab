import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresUnitOfWork } from '../../adapters/postgres/unit-of-work.ts';
import { systemClock as clock } from '../../provider/lib/clock.ts';
import type { AccountChange } from '../../provider/ports/account-store.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { noticeChanges } from '../../provider/revocation/change-notices.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { silently } from '../support/sign-in.ts';
import { type TestClient, type Tokens, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp, offline, standing } from './apps.ts';

const clients = [appDocument('web'), appDocument('own', { firstParty: true })];

let deployment: Deployment;
let database: Database;
let unitOfWork: UnitOfWork;
let web: TestClient;
let own: TestClient;
beforeAll(async () => {
  deployment = await startServers({ clients });
  database = openDatabase({ url: deployment.databaseUrl ?? '' });
  unitOfWork = noticeChanges(new PostgresUnitOfWork({ db: database.knex }), {
    clock,
    denylist: { cacheEntries: async () => {} },
  });
  web = createApp(deployment, 'web');
  own = createApp(deployment, 'own');
}, 120_000);
afterAll(async () => {
  await database?.close();
  await deployment?.stop();
});

/** Changes the account as a command without Redis does. Every process reads the change within a second. */
async function change(changes: AccountChange): Promise<void> {
  const changed = await unitOfWork.run(async ({ accounts }) => {
    const account = await accounts.findByEmail(demo.email);
    return accounts.update(account?.id ?? '', changes, clock.now());
  });
  expect(changed).toBeDefined();
}

const refresh = async (app: TestClient, { refresh_token }: Tokens) => {
  const { status, body } = await app.refresh(refresh_token);
  return [status, body.error];
};

describe('a session', () => {
  let agent: UserAgent;
  beforeEach(() => {
    agent = createUserAgent(deployment);
  });

  test('signs the person in to other apps on any process without a page', async () => {
    expect(await silently(agent, own)).toBe('login_required');
    await web.signIn(agent, { scope: allScopes });
    for (const _ of [1, 2, 3]) expect(await silently(agent, own)).toBe('code');
    expect(await silently(agent, web)).toBe('code');
  });

  test('a new sign-in or consent in a session ends none of its older families', async () => {
    const first = await web.signIn(agent, { scope: allScopes });
    const others = [
      await web.signIn(agent, { scope: allScopes, prompt: 'login' }),
      await web.signIn(agent, { scope: allScopes, prompt: 'consent' }),
      await web.signIn(agent, { scope: allScopes, max_age: '0' }),
      await web.signIn(agent, offline),
      await web.signIn(agent, { scope: 'openid' }),
    ];
    for (const tokens of [first, ...others.slice(0, 4)]) {
      expect(await standing(deployment, web, tokens.access_token)).toBe('live');
    }
    for (const tokens of [first, ...others]) expect(await refresh(web, tokens)).toEqual([200, undefined]);
  });

  test('its cookie without a valid signature doesn’t sign in', async () => {
    await web.signIn(agent, { scope: allScopes });
    const [name = ''] = [...agent.cookies.keys()].filter((cookie) => cookie.endsWith('gatehouse_session'));
    const value = agent.cookies.get(name) ?? '';
    const signature = agent.cookies.get(`${name}.sig`) ?? '';
    const tries: [string, string | undefined][] = [
      [value, undefined],
      [value, `${signature.slice(0, -2)}AA`],
      [`${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`, signature],
    ];
    for (const [id, sig] of tries) {
      const thief = createUserAgent(deployment);
      thief.cookies.set(name, id);
      if (sig !== undefined) thief.cookies.set(`${name}.sig`, sig);
      expect(await silently(thief, web)).toBe('login_required');
    }
    expect(await silently(agent, web)).toBe('code');
  });
});

describe.each<[string, AccountChange]>([
  ['is disabled', { state: 'disabled', raiseTokenVersion: true }],
  ['is disabled, with its token version left as it is', { state: 'disabled' }],
  ['is signed out everywhere', { raiseTokenVersion: true }],
])('when an account %s', (_, changes) => {
  test('all its tokens are dead on every process, and its sessions have to sign in again', async () => {
    const agent = createUserAgent(deployment);
    const { email, password } = demo;
    const families: [TestClient, Tokens][] = [
      [web, await web.signIn(agent, { scope: allScopes })],
      [web, await web.signIn(agent, offline)],
      [own, await own.signIn(agent, { scope: allScopes })],
    ];
    const code = await web.code(agent, { scope: allScopes });
    const { refreshToken } = await apiLogin(deployment);
    await change(changes);
    const { access_token: first } = families[0]?.[1] ?? {};
    await waitFor(async () => (await standing(deployment, web, String(first))) === 'dead', {
      what: 'the change to be known everywhere',
    });

    for (const [app, tokens] of families) {
      expect(await standing(deployment, app, tokens.access_token)).toBe('dead');
      expect(await refresh(app, tokens)).toEqual([400, 'invalid_grant']);
    }
    expect((await web.redeem(code)).body.error).toBe('invalid_grant');
    expect((await callJsonApi(deployment, '/auth/refresh', { refreshToken })).body.code).toBe(
      'invalid_grant',
    );
    for (const _process of deployment.origins) expect(await silently(agent, web)).toBe('login_required');
    const page = await agent.get(web.authorizationUrl({ scope: allScopes }));
    expect(page.html).toContain('name="password"');

    const again = await callJsonApi(deployment, '/auth/login', { email, password });
    if (changes.state === 'disabled') {
      expect([again.status, again.body.code]).toEqual([403, 'account_disabled']);
      await change({ state: 'active', raiseTokenVersion: true });
    } else expect(again.status).toBe(200);

    // A new sign-in works, in the same browser too. Dead tokens stay dead.
    const back = await web.signIn(agent, { scope: allScopes });
    expect(await standing(deployment, web, back.access_token)).toBe('live');
    expect(tokensOf(await web.refresh(back.refresh_token)).token_type).toBe('Bearer');
    expect(await silently(agent, own)).toBe('code');
    for (const [app, tokens] of families) {
      expect(await standing(deployment, app, tokens.access_token)).toBe('dead');
      expect(await refresh(app, tokens)).toEqual([400, 'invalid_grant']);
    }
  });
});
