import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Authenticator, personWithFactor } from '../support/authenticator.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { callJsonApi } from '../support/json-api.ts';
import { testRedisUrl, uniquePrefix } from '../support/redis.ts';
import { createUserAgent, type Person } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { appDocument, createApp } from './apps.ts';
import { dumpStores } from './store-dump.ts';

jest.setTimeout(600_000);

const people = 25;
const own = { auth: 'none', firstParty: true, grants: ['password', 'refresh_token'], redirectUris: [] };
const clients = [appDocument('web', { firstParty: true }), appDocument('api', own)];
const redisPrefix = uniquePrefix();
const inRedis = { GATEHOUSE_REDIS_URL: testRedisUrl(), GATEHOUSE_REDIS_KEY_PREFIX: redisPrefix };

describe.each([
  { store: 'Postgres and Redis', signIns: 1000, settings: inRedis as Record<string, string> },
  { store: 'Postgres alone', signIns: 250, settings: {} },
])('sign-ins with a second factor, on $store', ({ signIns, settings }) => {
  let deployment: InProcess;
  let persons: { person: Person; app: Authenticator }[];
  beforeAll(async () => {
    const limits = { GATEHOUSE_LIMITS_PERCENT: '10000', GATEHOUSE_SIGNUP: 'true' };
    deployment = await startInProcess(clients, { ...limits, ...settings });
    persons = [];
    for (let index = 0; index < people; index++) persons.push(await personWithFactor(deployment));
  });
  afterAll(() => deployment?.stop());

  async function onPage({ person, app }: (typeof persons)[number]): Promise<boolean> {
    const agent = createUserAgent(deployment);
    const url = createApp(deployment, 'web').authorizationUrl();
    const page = await agent.submit(await agent.get(url), { ...person });
    return (await agent.submit(page, { code: app.code() })).url.includes('code=');
  }
  async function byJson({ person, app }: (typeof persons)[number]): Promise<boolean> {
    const { body } = await callJsonApi(deployment, '/auth/login', { ...person, clientId: 'api' });
    const second = { challenge: body.challenge, code: app.code(), clientId: 'api' };
    return (await callJsonApi(deployment, '/auth/login/second-factor', second)).status === 200;
  }

  /** The number of rows of each table, without those that a sweep deletes after everything has expired. */
  async function lastingRows(): Promise<Record<string, number>> {
    await waitFor(async () => (await deployment.ports.outbox.depth()).pending === 0);
    const later = Date.now() + 400 * 86_400_000;
    for (const rows of deployment.ports.expired) while ((await rows.sweep(1000, later)) > 0);
    const counts: Record<string, number> = {};
    for (const row of await dumpStores({ ...deployment, env: {} })) {
      const [table = ''] = row.split(' ');
      counts[table] = (counts[table] ?? 0) + 1;
    }
    return counts;
  }
  /** The keys in Redis that do not expire, with their content. */
  async function lastingKeys(): Promise<string[]> {
    const redis = new Redis(testRedisUrl());
    try {
      const stored = await dumpStores({ ...deployment, redisPrefix });
      const keys = stored.filter((text) => text.startsWith(redisPrefix));
      const ms = await Promise.all(keys.map((text) => redis.pttl(text.split(' ')[0] ?? '')));
      return keys.filter((_, index) => ms[index] === -1);
    } finally {
      redis.disconnect();
    }
  }

  test('leave nothing behind that does not expire', async () => {
    const before = await lastingRows();
    const keysBefore = await lastingKeys();
    expect(before['public.second_factors']).toBe(people);
    for (let done = 0; done < signIns; done += people) {
      // The next code of each app.
      deployment.advance(30);
      const ends = persons.map((each, index) => (index % 5 === 0 ? onPage(each) : byJson(each)));
      expect(await Promise.all(ends)).toEqual(Array(people).fill(true));
    }
    expect(await lastingRows()).toEqual(before);
    expect(await lastingKeys()).toEqual(keysBefore);
  });
});
