import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { version } from '../../provider/compose/version.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { type RelayedServer, relayed } from '../support/own-stores.ts';
import { testRedisUrl } from '../support/redis.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

/** The metrics that dashboards and alarms use. */
const promised = [
  'gatehouse_build_info',
  'gatehouse_http_requests_total',
  'gatehouse_http_request_duration_seconds_bucket',
  'gatehouse_sign_ins_total',
  'gatehouse_tokens_issued_total',
  'gatehouse_hashing_queue_depth',
  'gatehouse_hashing_wait_seconds_bucket',
  'gatehouse_clients_loaded',
  'gatehouse_clients_stale',
  'gatehouse_outbox_pending',
  'gatehouse_outbox_oldest_seconds',
  'gatehouse_outbox_set_aside',
  'gatehouse_keys_reload_failures_total',
  'gatehouse_untrusted_forwarded_headers_total',
  'process_cpu_seconds_total',
  'nodejs_eventloop_lag_p99_seconds',
];

/** A change takes a second, but much longer on a busy machine. */
const patience = { timeoutMs: 60_000 };

describe('the operations listener', () => {
  let deployment: Deployment;
  let database: TestDatabase;
  let redis: RelayedServer;
  let postgres: RelayedServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await relayed(testRedisUrl());
    postgres = await relayed(database.url);
    const urls = { GATEHOUSE_DATABASE_URL: postgres.url, GATEHOUSE_REDIS_URL: redis.url };
    const env = { ...urls, GATEHOUSE_READINESS_BLIP_SECONDS: '1' };
    deployment = await startServers({ processes: 1, env });
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await Promise.all([redis?.cut(), postgres?.cut()]);
    await database?.drop();
  });

  const ops = (path: string, init?: RequestInit) => fetch(`${deployment.opsOrigins[0]}${path}`, init);
  const readiness = async () => {
    const answer = await ops('/readyz');
    return { ready: answer.ok, ...((await answer.json()) as { failing?: string[] }) };
  };
  const metrics = async () => (await ops('/metrics')).text();
  /** Readiness names the store, the process still runs, and a sign-in gets 503. */
  const expectOutage = async (store: string) => {
    await waitFor(async () => !(await readiness()).ready, { ...patience, what: `unready without ${store}` });
    expect(await readiness()).toMatchObject({ failing: [store] });
    expect((await ops('/livez')).status).toBe(200);
    const answer = await postJson(deployment, '/auth/login', demoCredentials);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'store_unavailable' }),
    ]);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  };
  const expectRecovery = async () => {
    await waitFor(async () => (await readiness()).ready, { ...patience, what: 'ready again' });
    await apiLogin(deployment);
  };

  test('reports that the process runs and is ready, and its release', async () => {
    const alive = await ops('/livez');
    expect([alive.status, await alive.json()]).toEqual([200, { status: 'ok', version }]);
    expect(await readiness()).toEqual({ ready: true, status: 'ok' });
  });

  test('has no public endpoints, and the public listener has none of its endpoints', async () => {
    const publicPaths = ['/', '/.well-known/jwks.json', '/auth/login', '/oauth2/token', '/openapi.json'];
    for (const path of publicPaths) expect((await ops(path)).status).toBe(404);
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await deployment.fetch(`${deployment.issuer}${path}`)).status).toBe(404);
    }
    expect((await ops('/metrics', { method: 'POST' })).status).toBe(405);
  });

  test('has the documented metrics, and none contains a name of a person, client or path', async () => {
    await apiLogin(deployment);
    await postJson(deployment, '/auth/login', { email: demo.email, password: 'wrong' });
    await createTestClient(deployment, demoApps.web).signIn(createUserAgent(deployment));
    await deployment.fetch(`${deployment.issuer}/somebody/else@example.com`);
    const answer = await ops('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    const names = new Set(text.match(/^[a-z_0-9]+(?=[{ ])/gm));
    expect(promised.filter((name) => !names.has(name))).toEqual([]);
    expect(text).toMatch(/gatehouse_sign_ins_total\{outcome="succeeded"\} 2\n/);
    expect(text).toMatch(/gatehouse_sign_ins_total\{outcome="refused"\} 1\n/);
    expect(text).toContain('grant="authorization_code",client_kind="third_party"} 1');
    expect(text).toContain('grant="password",client_kind="first_party"} 1');
    expect(text).toContain('route="/interaction/:uid"');
    expect(text).not.toMatch(/@|demo-|user_[\w-]{22}|somebody/);
  });

  test('names Redis while it is down, and a sign-in gets 503', async () => {
    await redis.cut();
    await expectOutage('redis');

    await redis.mend();
    await expectRecovery();
  }, 150_000);

  test('names Postgres while it is down; keys and discovery still work', async () => {
    await postgres.cut();
    await expectOutage('postgres');
    const token = await createTestClient(deployment, demoApps.firstParty).passwordGrant();
    expect([token.status, token.body.error]).toEqual([503, 'temporarily_unavailable']);
    for (const path of ['openid-configuration', 'jwks.json']) {
      expect((await deployment.fetch(`${deployment.issuer}/.well-known/${path}`)).status).toBe(200);
    }
    expect(await metrics()).toMatch(/gatehouse_store_errors_total\{[^}]*\} [1-9]/);

    await postgres.mend();
    await expectRecovery();
  }, 150_000);

  test('the log contains no credential', () => {
    const log = deployment.programs[0]?.output() ?? '';
    expect(log).toContain('"level":"warn"');
    expect(log).not.toContain(demo.password);
    expect(log).not.toContain('$argon2');
  });
});

const demoCredentials = { email: demo.email, password: demo.password };
