import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type OwnRedis, startOwnRedis } from '../adapters/redis/own-redis.ts';
import { type Deployment, oneProcess, startServers } from '../support/deployment.ts';
import { isReady } from '../support/fleet.ts';
import { signOut, silently } from '../support/sign-in.ts';
import { type TestClient, tokensOf } from '../support/test-client.ts';
import { copyOf, createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp, offline, standing } from './apps.ts';

describe('G3, ended sign-ins stay ended when Redis returns with older data', () => {
  let redis: OwnRedis;
  let deployment: Deployment;
  let web: TestClient;
  beforeAll(async () => {
    redis = await startOwnRedis();
    const env = { GATEHOUSE_REDIS_URL: redis.url };
    deployment = await startServers({ env, clients: [appDocument('web')] });
    web = createApp(deployment, 'web');
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await redis?.stop();
  });

  const signIn = async () => {
    const agent = createUserAgent(deployment);
    const bound = await web.signIn(agent, { scope: allScopes });
    const family = await web.signIn(agent, offline);
    return { agent, bound, family };
  };
  /** The first answers of each process to the session and the tokens. */
  const answers = async ({ agent, bound, family }: Awaited<ReturnType<typeof signIn>>) => {
    const said: string[] = [];
    for (const process of deployment.origins.keys()) {
      const there = oneProcess(deployment, process);
      const app = createApp(there, 'web');
      said.push(await silently(copyOf(there, agent), app));
      for (const { refresh_token } of [bound, family]) {
        const { active } = (await app.post('introspect', { token: refresh_token })).body;
        const { status, body } = await app.refresh(refresh_token);
        said.push(active ? 'active' : 'inactive', status === 200 ? 'refreshed' : String(body.error));
      }
    }
    for (const { access_token } of [bound, family]) said.push(await standing(deployment, web, access_token));
    return said;
  };
  const untilReady = () => waitFor(() => isReady(deployment.opsOrigins[0]), { what: 'readiness' });

  test('session, refresh token, code and access token are refused at the first request and later', async () => {
    const [ended, stays] = [await signIn(), await signIn()];
    const code = await web.code(ended.agent);
    // Now both processes have cached the accounts.
    ended.family = tokensOf(await web.refresh(ended.family.refresh_token));
    stays.family = tokensOf(await web.refresh(stays.family.refresh_token));
    const older = await redis.snapshot();

    const cookies = copyOf(deployment, ended.agent);
    await signOut(deployment, ended.agent);
    expect((await web.post('revoke', { token: ended.family.refresh_token })).status).toBe(200);
    await redis.stop();
    await redis.restart(older);

    const ends = ['login_required', 'inactive', 'invalid_grant', 'inactive', 'invalid_grant'];
    const dead = [...ends, ...ends, 'dead', 'dead'];
    expect(await answers({ ...ended, agent: cookies })).toEqual(dead);
    expect((await web.redeem(code)).body.error).toBe('invalid_grant');
    await untilReady();
    expect(await answers({ ...ended, agent: cookies })).toEqual(dead);
    const page = await cookies.get(`${deployment.issuer}/account`);
    expect(page.html).toContain('name="password"');
    // The second process gets the tokens that were spent at the first.
    const goesOn = ['active', 'inactive'].flatMap((is) => ['code', is, 'refreshed', is, 'refreshed']);
    expect(await answers(stays)).toEqual([...goesOn, 'live', 'live']);
  });
});
