import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import { type Deployment, startServers } from '../support/deployment.ts';
import { apiLogin, getProfile } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { type OwnStores, startOwnStores } from '../support/own-stores.ts';
import { bearer, createTestClient, demoApps } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';

// The tests wait for the end of an outage, which takes long on a busy machine.
jest.setTimeout(120_000);

describe('/auth/verify during outages of the stores', () => {
  let stores: OwnStores;
  let deployments: Deployment[];
  beforeAll(async () => {
    stores = await startOwnStores();
    const env = {
      GATEHOUSE_DATABASE_URL: stores.postgresRelay.url,
      GATEHOUSE_REDIS_URL: stores.redis.url,
    };
    const tolerant = { ...env, GATEHOUSE_VERIFY_WITHOUT_DENYLIST_SECONDS: '12' };
    const start = (settings: Record<string, string>, database: string) => {
      const own = new URL(settings.GATEHOUSE_DATABASE_URL ?? '');
      own.pathname = `/${database}`;
      return startServers({ processes: 1, env: { ...settings, GATEHOUSE_DATABASE_URL: own.href } });
    };
    await createDatabases(stores.postgres.url, ['strict', 'tolerant']);
    deployments = await Promise.all([start(env, 'strict'), start(tolerant, 'tolerant')]);
  }, 120_000);
  afterAll(async () => {
    for (const deployment of deployments ?? []) await deployment.stop();
    await stores?.stop();
  });

  const verify = async ({ fetch, issuer }: Deployment, token: string, behind = '') => {
    const headers = bearer(token);
    const answer = await fetch(`${issuer}/auth/verify${behind}`, { method: 'POST', headers });
    await answer.arrayBuffer();
    return [answer.status, answer.headers.get('x-auth-revocation') ?? answer.headers.get('retry-after')];
  };
  const counted = (deployment: Deployment, outcome: string) =>
    metric(deployment, 'gatehouse_verifications_total', `outcome="${outcome}"`);
  const told = ({ programs }: Deployment, text: string) =>
    (programs[0]?.output() ?? '').split('\n').filter((line) => line.includes(`"msg":"${text}"`)).length;

  test('refuses every token by default, accepts tokens for a limited time by a setting, and checks again afterwards', async () => {
    const [strict, tolerant] = deployments as [Deployment, Deployment];
    const tokens = await Promise.all(deployments.map((each) => apiLogin(each)));
    const [atStrict, atTolerant] = tokens.map(({ accessToken }) => accessToken) as [string, string];
    const revoked = (await apiLogin(tolerant)).accessToken;
    await createTestClient(tolerant, demoApps.firstParty).post('revoke', { token: revoked });

    // Without Redis, only the copy of the denylist is missing.
    await stores.redis.cutConnections();
    expect(await verify(strict, atStrict)).toEqual([200, 'checked']);
    expect(await verify(tolerant, atTolerant)).toEqual([200, 'checked']);
    expect(await verify(tolerant, revoked)).toEqual([401, null]);

    await stores.postgresRelay.cut();
    expect(await verify(strict, atStrict)).toEqual([503, '2']);
    expect(await counted(strict, 'unavailable')).toBe(1);
    for (const _ of [1, 2, 3]) expect(await verify(tolerant, atTolerant)).toEqual([200, 'unchecked']);
    expect(await verify(tolerant, atTolerant, '?scope=admin')).toEqual([403, null]);
    expect(await verify(tolerant, atStrict)).toEqual([401, null]);
    expect(await verify(tolerant, 'nonsense')).toEqual([401, null]);
    expect((await getProfile(tolerant, atTolerant)).status).toBe(503);
    expect(await counted(tolerant, 'accepted_unchecked')).toBe(3);
    expect(told(tolerant, 'verify: outage tolerated, accepting tokens unchecked')).toBe(1);

    const refused = async () => (await verify(tolerant, atTolerant))[0] === 503;
    await waitFor(refused, { timeoutMs: 60_000, intervalMs: 200, what: 'the time to be over' });
    expect(told(tolerant, 'verify: outage tolerance expired, answering 503')).toBe(1);

    await stores.postgresRelay.mend();
    await stores.redis.mend();
    for (const [deployment, token] of [
      [strict, atStrict],
      [tolerant, atTolerant],
    ] as const) {
      const checked = async () => (await verify(deployment, token)).join() === '200,checked';
      await waitFor(checked, { timeoutMs: 60_000, intervalMs: 200, what: 'a store that is back' });
    }
    expect(await verify(tolerant, revoked)).toEqual([401, null]);
    expect(told(tolerant, 'verify: revocations are checked again')).toBe(1);
    expect(told(strict, 'verify: outage tolerated, accepting tokens unchecked')).toBe(0);
  });

  test('applies the revocations in Redis during an outage of Postgres alone', async () => {
    const tolerant = deployments[1] as Deployment;
    const { accessToken } = await waitFor(() => apiLogin(tolerant), { what: 'stores that are there' });
    const revoked = (await apiLogin(tolerant)).accessToken;
    await createTestClient(tolerant, demoApps.firstParty).post('revoke', { token: revoked });
    expect(await verify(tolerant, accessToken)).toEqual([200, 'checked']);
    await stores.postgresRelay.cut();
    // This holds while the copy is trusted and after it isn't.
    const unchecked = async () => {
      expect(await verify(tolerant, revoked)).toEqual([401, null]);
      return (await verify(tolerant, accessToken)).join() === '200,unchecked';
    };
    await waitFor(unchecked, { timeoutMs: 60_000, what: 'tokens to be let in unchecked' });
    expect(await verify(tolerant, revoked)).toEqual([401, null]);
    await stores.postgresRelay.mend();
    const checked = async () => (await verify(tolerant, accessToken)).join() === '200,checked';
    await waitFor(checked, { timeoutMs: 60_000, what: 'a store that is back' });
    expect(await verify(tolerant, revoked)).toEqual([401, null]);
  });
});

async function createDatabases(url: string, names: string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const name of names) await client.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  await client.end();
}
