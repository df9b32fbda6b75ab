import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { OidcStore } from '../../provider/ports/oidc-store.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { silently } from '../support/sign-in.ts';
import { type TestClient, type Tokens, tokensOf } from '../support/test-client.ts';
import { copyOf, createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, offline, standing } from './apps.ts';

const hour = 3600;
const day = 86_400;

let deployment: InProcess;
let web: TestClient;
let other: TestClient;
let agent: UserAgent;
beforeAll(async () => {
  deployment = await startInProcess([appDocument('web'), appDocument('other', { firstParty: true })]);
  web = createApp(deployment, 'web');
  other = createApp(deployment, 'other');
}, 120_000);
afterAll(() => deployment?.stop());
beforeEach(() => {
  agent = createUserAgent(deployment);
});

const refresh = async ({ refresh_token }: Tokens) => (await web.refresh(refresh_token)).status;

test('an access token is valid for 15 minutes', async () => {
  const { access_token } = await web.signIn(agent, { scope: allScopes });
  deployment.advance(14 * 60 + 55);
  expect(await standing(deployment, web, access_token)).toBe('live');
  deployment.advance(6);
  expect(await standing(deployment, web, access_token)).toBe('dead');
});

test('a revoked token stays dead until it would have expired', async () => {
  const { access_token, refresh_token } = await web.signIn(agent, offline);
  await web.post('revoke', { token: refresh_token });
  deployment.advance(14 * 60 + 55);
  expect(await standing(deployment, web, access_token)).toBe('dead');
  deployment.advance(89 * day);
  expect((await web.refresh(refresh_token)).body.error).toBe('invalid_grant');
});

describe('a session', () => {
  test('ends three days after its last use, together with its families', async () => {
    const [bound, free] = [await web.signIn(agent, { scope: allScopes }), await web.signIn(agent, offline)];
    deployment.advance(3 * day - hour);
    expect(await silently(copyOf(deployment, agent), web)).toBe('code');
    const next = tokensOf(await web.refresh(bound.refresh_token));
    deployment.advance(3 * day + 1);
    expect(await silently(agent, web)).toBe('login_required');
    expect(await refresh(next)).toBe(400);
    expect(await refresh(free)).toBe(200);
  });

  test('ends 14 days after sign-in even if it is used', async () => {
    let tokens = await web.signIn(agent, { scope: allScopes });
    for (let used = 2; used <= 12; used += 2) {
      deployment.advance(2 * day);
      expect(await silently(agent, web)).toBe('code');
      tokens = tokensOf(await web.refresh(tokens.refresh_token));
    }
    deployment.advance(2 * day - 10);
    expect(await silently(agent, web)).toBe('code');
    deployment.advance(11);
    expect(await silently(agent, web)).toBe('login_required');
    expect(await refresh(tokens)).toBe(400);
  });
});

test('a session that ends by time before its code is redeemed ends the family at the first refresh', async () => {
  await web.signIn(agent, offline);
  for (let used = 2; used <= 12; used += 2) {
    deployment.advance(2 * day);
    expect(await silently(agent, web)).toBe('code');
  }
  deployment.advance(2 * day - 10);
  const bound = await web.code(agent, { scope: allScopes });
  const free = await web.code(agent, { scope: offline.scope });
  deployment.advance(20);
  expect(await silently(agent, web)).toBe('login_required');
  const redeemed = tokensOf(await web.redeem(bound));
  expect(await standing(deployment, web, redeemed.access_token)).toBe('live');
  expect(await refresh(redeemed)).toBe(400);
  expect(await refresh(tokensOf(await web.redeem(free)))).toBe(200);
});

describe('the end of a session is stored again', () => {
  /** The number of writes of the session while `use` runs. */
  async function writes(use: () => Promise<unknown>): Promise<number> {
    const { oidcStore } = deployment.ports;
    const put = oidcStore.put;
    let written = 0;
    oidcStore.put = async (...call: Parameters<OidcStore['put']>) => {
      if (call[0] === 'Session') written += 1;
      return put.apply(oidcStore, call);
    };
    await use();
    oidcStore.put = put;
    return written;
  }

  test('when it moved by a minute, and not before', async () => {
    await web.signIn(agent, { scope: allScopes });
    const use = () => web.code(agent, { scope: allScopes });
    deployment.advance(30);
    expect(await writes(use)).toBe(0);
    deployment.advance(30);
    expect(await writes(use)).toBe(1);
    expect(await writes(use)).toBe(0);
  });

  test('at once with anything else that changed, such as a client that was signed in to', async () => {
    await web.signIn(agent, { scope: allScopes });
    const use = () => other.signIn(agent, { scope: 'openid' });
    expect(await writes(use)).toBeGreaterThan(0);
    expect(await writes(() => other.code(agent, { scope: 'openid' }))).toBe(0);
  });
});

describe('a family with offline_access', () => {
  test('ends 30 days after its last use', async () => {
    const first = await web.signIn(agent, offline);
    deployment.advance(30 * day - 10);
    const second = tokensOf(await web.refresh(first.refresh_token));
    deployment.advance(30 * day + 1);
    expect(await refresh(second)).toBe(400);
  });

  test('ends 90 days after sign-in even if it is used', async () => {
    let tokens = await web.signIn(agent, offline);
    for (let used = 0; used < 89; used += 1) {
      deployment.advance(day);
      tokens = tokensOf(await web.refresh(tokens.refresh_token));
    }
    deployment.advance(day - 5);
    tokens = tokensOf(await web.refresh(tokens.refresh_token));
    tokens = tokensOf(await web.refresh(tokens.refresh_token));
    deployment.advance(6);
    expect(await refresh(tokens)).toBe(400);
  });
});

describe('a request under way during sign-out', () => {
  let release: () => void;
  let arrived: Promise<void>;

  /** Holds the next write of a session, as a slow network does. */
  function holdNextSession(): void {
    const { oidcStore } = deployment.ports;
    const put = oidcStore.put;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    arrived = new Promise((tell) => {
      oidcStore.put = async (...call: Parameters<OidcStore['put']>) => {
        if (call[0] === 'Session') {
          oidcStore.put = put;
          tell();
          await released;
        }
        return put.apply(oidcStore, call);
      };
    });
  }

  test("can't revive the session by saving it after its end", async () => {
    const tokens = await web.signIn(agent, { scope: allScopes });
    const asked = await agent.get(`${deployment.issuer}/oauth2/logout`);
    const slow = copyOf(deployment, agent);
    const old = copyOf(deployment, agent);
    deployment.advance(60);
    holdNextSession();
    const underWay = slow.get(web.authorizationUrl({ scope: allScopes }));
    await arrived;
    await agent.submit(asked, { logout: 'yes' });
    release();
    const code = new URL((await underWay).url).searchParams.get('code') ?? '';
    expect((await web.redeem(code)).body.error).toBe('invalid_grant');
    for (const browser of [slow, old, agent]) expect(await silently(browser, web)).toBe('login_required');
    expect(await refresh(tokens)).toBe(400);
    expect(await standing(deployment, web, tokens.access_token)).toBe('dead');
  });

  test("can't undo the sign-out of one client while the session continues", async () => {
    const { refresh_token, id_token } = await web.signIn(agent, { scope: allScopes });
    const asked = await agent.get(`${deployment.issuer}/oauth2/logout?id_token_hint=${id_token}`);
    const slow = copyOf(deployment, agent);
    deployment.advance(60);
    holdNextSession();
    const underWay = slow.get(web.authorizationUrl({ scope: allScopes }));
    await arrived;
    await agent.submit(asked, {});
    release();
    await underWay;
    expect((await web.refresh(refresh_token)).body.error).toBe('invalid_grant');
  });
});
