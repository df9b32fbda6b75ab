import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { type ApiTokens, apiLogin, postJson } from '../support/json-api.ts';
import { testRedisUrl } from '../support/redis.ts';
import { createTestClient, demoApps, type TestClient, type Tokens } from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { openWireLog, postgresReader, redisReader, type WireLog } from './wire-log.ts';

let database: TestDatabase;
let wires: WireLog[];
let deployment: Deployment;
let asked: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const postgres = await openWireLog(database.url, () => postgresReader((sql) => asked.push('P ' + sql)));
  const redis = await openWireLog(testRedisUrl(), () => redisReader((words) => asked.push('R ' + words.join(' ').slice(0, 200))));
  wires = [postgres, redis];
  const at = (url: string, { port }: WireLog) => Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  deployment = await startServers({
    processes: 1,
    env: {
      GATEHOUSE_DATABASE_URL: at(database.url, postgres),
      GATEHOUSE_REDIS_URL: at(testRedisUrl(), redis),
    },
  });
}, 120_000);
afterAll(async () => {
  await deployment?.stop();
  for (const wire of wires ?? []) await wire.close();
  await database?.drop();
});

test('look', async () => {
  const agent = createUserAgent(deployment);
  const web = createTestClient(deployment, demoApps.web);
  const service = createTestClient(deployment, demoApps.service);
  let tokens = await web.signIn(agent, { scope: 'openid offline_access contracts:read', prompt: 'consent' });
  let api = await apiLogin(deployment);
  const see = async (name: string, work: () => Promise<unknown>) => {
    await work();
    await new Promise((r) => setTimeout(r, 300));
    asked = [];
    await work();
    await new Promise((r) => setTimeout(r, 100));
    process.stderr.write(`=== ${name}\n${asked.join('\n')}\n`);
  };
  await see('cc', () => service.post('token', { grant_type: 'client_credentials' }));
  await see('refresh', async () => { tokens = (await web.refresh(tokens.refresh_token)).body as unknown as Tokens; });
  await see('api refresh', async () => { api = await (await postJson(deployment, '/auth/refresh', { refreshToken: api.refreshToken })).json() as ApiTokens; });
  let code = '';
  await see('authorize', async () => { code = (await web.authorize(agent, { scope: 'openid contracts:read' })).get('code') ?? ''; });
  await see('code flow', async () => { code = (await web.authorize(agent, { scope: 'openid contracts:read' })).get('code') ?? ''; await web.redeem(code); });
  await see('login', () => apiLogin(deployment));
  await see('introspect', () => web.post('introspect', { token: tokens.access_token }));
  await see('verify', () => deployment.fetch(`${deployment.issuer}/auth/verify`, { headers: { authorization: `Bearer ${tokens.access_token}` } }));
  await see('jwks', () => deployment.fetch(`${deployment.issuer}/.well-known/jwks.json`));
  await see('wrong login', () => postJson(deployment, '/auth/login', { email: demo.email, password: 'x' }));
}, 60000);
