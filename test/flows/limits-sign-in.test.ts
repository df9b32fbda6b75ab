import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { postJson } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { testRedisUrl } from '../support/redis.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { withHeaders } from '../support/wrapped-deployment.ts';
import { tally } from './apps.ts';
import { addressIn, from, fromAnywhere, retryAfter, right, tryPassword } from './limits-world.ts';

describe('G9, limits of sign-in over two processes', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    // A fifth of the default limits by address and network, so that the test reaches them sooner.
    const env = { GATEHOUSE_HASHING_QUEUE: '1000', GATEHOUSE_LIMITS_PERCENT: '20' };
    deployment = await startServers({ env: { ...fromAnywhere, ...env } });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const statuses = (answers: readonly Response[]) => tally(answers.map(({ status }) => status));

  test('parallel guesses get no more tries than guesses one after the other', async () => {
    const email = 'parallel@example.com';
    const startedAt = performance.now();
    const answers = await atOnce(80, () => tryPassword(deployment, addressIn(1), { email }));
    const { 401: guesses, 429: refused } = statuses(answers);
    // Ten, and on a slow machine one more after each wait: after 1, 3, 7, 15 seconds.
    const waited = Math.floor(Math.log2((performance.now() - startedAt) / 1000 + 1));
    expect(guesses).toBeGreaterThanOrEqual(10);
    expect(guesses).toBeLessThanOrEqual(10 + waited);
    expect(refused).toBe(80 - Number(guesses));
    for (const answer of answers.filter(({ status }) => status === 429))
      expect(retryAfter(answer)).toBeGreaterThan(0);
  });

  test('guesses at one account from many networks are limited, and the person can still sign in from known and new places', async () => {
    const [home, abroad] = [addressIn(2), addressIn(3)];
    expect((await tryPassword(deployment, home, right)).status).toBe(200);
    const laptop = createVisitor(addressIn(13));
    expect((await laptop.signIn(demo)).status).toBe(200);
    // Sixteen tries from each of twenty networks: more than any of them gets of the account's hundred.
    const attacker = (index: number) => addressIn(1000 + (index % 20), 1 + Math.floor(index / 20));
    const startedAt = performance.now();
    const flood = await atOnce(320, (index) => tryPassword(deployment, attacker(index)));
    const { 401: guesses, 429: refused } = statuses(flood);
    // A hundred, and two for each network. Another guess is allowed every 36 seconds.
    expect(guesses).toBeGreaterThanOrEqual(140);
    expect(guesses).toBeLessThanOrEqual(141 + (performance.now() - startedAt) / 36_000);
    expect(refused).toBe(320 - Number(guesses));
    const limited = await metric(deployment, 'gatehouse_limited_total', 'action="sign-in"', 'by="account"');
    expect(limited).toBe(refused);

    expect((await tryPassword(deployment, home)).status).toBe(401);
    expect((await tryPassword(deployment, home, right)).status).toBe(200);
    expect((await tryPassword(deployment, abroad)).status).toBe(401);
    expect((await tryPassword(deployment, abroad, right)).status).toBe(200);
    // In the attacker's network an unknown browser is refused, and the person's known browser isn't.
    const stranger = createVisitor(addressIn(1000, 77));
    expect((await stranger.signIn(demo)).status).toBe(429);
    laptop.moveTo(addressIn(1000, 78));
    expect((await laptop.signIn({ ...demo, password: 'a slip' })).status).toBe(400);
    expect((await laptop.signIn(demo)).status).toBe(200);
    const other = await tryPassword(deployment, abroad, { email: 'another@example.com' });
    expect(other.status).toBe(401);
  });

  /** A browser whose address can change. It asks for sign-in even if it has a session. */
  function createVisitor(first: string) {
    let address = first;
    const agent = createUserAgent(withHeaders(deployment, () => from(address)));
    return {
      moveTo: (next: string) => {
        address = next;
      },
      signIn: async ({ email, password }: { email: string; password: string }) => {
        const url = createTestClient(deployment, demoApps.web).authorizationUrl({ prompt: 'login consent' });
        return agent.submit(await agent.get(url), { email, password });
      },
    };
  }

  test('tries of one password on many accounts are limited by address and by network', async () => {
    const spray = (count: number, address: (index: number) => string, name: string) =>
      atOnce(count, (index) =>
        tryPassword(deployment, address(index), { email: `${name}-${index}@example.com` }),
      );
    const one = statuses(await spray(80, () => addressIn(4), 'one'));
    expect(one).toEqual({ 401: 60, 429: 20 });
    expect((await tryPassword(deployment, addressIn(4, 9), { email: 'next@example.com' })).status).toBe(401);
    expect((await tryPassword(deployment, addressIn(4), { email: 'next@example.com' })).status).toBe(429);
    const many = statuses(await spray(160, (index) => addressIn(4, 10 + (index % 100)), 'many'));
    expect(many).toEqual({ 401: 139, 429: 21 });
  });

  test('an unknown address costs as many hashes and store calls as a known one', async () => {
    const costOf = async (email: string, address: string) => {
      const cost = () =>
        Promise.all([
          metric(deployment, 'gatehouse_hashing_wait_seconds_count'),
          metric(deployment, 'gatehouse_store_call_duration_seconds_count', 'limits.'),
          metric(deployment, 'gatehouse_store_call_duration_seconds_count', 'accounts.'),
        ]);
      const before = await cost();
      expect(statuses(await atOnce(9, () => tryPassword(deployment, address, { email })))).toEqual({
        401: 9,
      });
      return (await cost()).map((after, index) => after - (before[index] ?? 0));
    };
    const { email } = await signUp('has.account@example.com', addressIn(5));
    const known = await costOf(email, addressIn(6));
    expect(known[0]).toBe(9);
    expect(await costOf('has.none@example.com', addressIn(7))).toEqual(known);
  });

  test('a refusal takes at least a full time step for known and unknown addresses, and so does sign-up', async () => {
    const since = async (work: () => Promise<Response>) => {
      const startedAt = performance.now();
      const { status } = await work();
      return { status, ms: performance.now() - startedAt };
    };
    const register = (email: string) =>
      postJson(
        deployment,
        '/auth/register',
        { email, password: 'long-enough-for-anybody' },
        from(addressIn(12)),
      );
    const email = 'timed@example.com';
    const timed = [
      await since(() => register(email)),
      await since(() => register(email)),
      await since(() => tryPassword(deployment, addressIn(11), { email })),
      await since(() => tryPassword(deployment, addressIn(11), { email: 'is.not.there@example.com' })),
    ];
    expect(timed.map(({ status }) => status)).toEqual([202, 202, 401, 401]);
    // A timer may be a millisecond early.
    for (const { ms } of timed) expect(ms).toBeGreaterThan(998);
  });

  test('the page shows the limit and keeps the typed address; sign-ins at the token endpoint count too', async () => {
    const email = 'page@example.com';
    const app = createTestClient(deployment, demoApps.firstParty);
    const address = from(addressIn(8));
    const wrong = { grant_type: 'password', username: email, password: 'wrong' };
    const answers = await atOnce(30, () => app.post('token', wrong, address));
    const errors = tally(answers.map(({ body }) => body.error));
    expect(Object.keys(errors).sort()).toEqual(['invalid_grant', 'temporarily_unavailable']);
    expect(errors.invalid_grant).toBeGreaterThanOrEqual(10);
    for (const { headers } of answers.filter(({ status }) => status === 429)) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(headers.get('cache-control')).toBe('no-store');
    }

    const agent = createUserAgent(withHeaders(deployment, () => address));
    const page = await agent.get(createTestClient(deployment, demoApps.web).authorizationUrl());
    // At least one of these comes during a wait, because each wrong try makes the wait longer.
    let answer = await agent.submit(page, { email, password: 'wrong' });
    for (let round = 0; round < 6 && answer.status !== 429; round += 1)
      answer = await agent.submit(page, { email, password: 'wrong' });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.html).toContain('Too many tries');
    expect(answer.html).toContain(email);
  });

  test('sign-up is limited by address, whether the account is new or not', async () => {
    const signUps = await atOnce(22, (index) =>
      postJson(
        deployment,
        '/auth/register',
        { email: index % 2 ? demo.email : `new-${index}@example.com`, password: `long-enough-${index}-word` },
        from(addressIn(9)),
      ),
    );
    const { 202: accepted, 429: refused } = statuses(signUps);
    expect([accepted, refused]).toEqual([12, 10]);
    const again = await postJson(deployment, '/auth/register', { email: 'x' }, from(addressIn(9)));
    expect(again.status).not.toBe(202);
    const elsewhere = { email: 'elsewhere@example.com', password: 'long-enough-for-me' };
    expect((await postJson(deployment, '/auth/register', elsewhere, from(addressIn(10)))).status).toBe(202);
  });

  test('sign-up is limited by network', async () => {
    const signUps = await atOnce(60, (index) =>
      postJson(
        deployment,
        '/auth/register',
        { email: `near-${index}@example.com`, password: `long-enough-${index}-word` },
        from(addressIn(14, 1 + index)),
      ),
    );
    expect(statuses(signUps)).toEqual({ 202: 48, 429: 12 });
  });

  async function signUp(email: string, address: string) {
    const account = { email, password: 'long-enough-for-anybody' };
    const answer = await postJson(deployment, '/auth/register', account, from(address));
    expect(answer.status).toBe(202);
    return account;
  }

  test('failed sign-ins write nothing to Postgres, and to Redis only keys that expire and contain no address', async () => {
    const database = new Client({ connectionString: deployment.databaseUrl });
    await database.connect();
    const client = new Redis(testRedisUrl());
    try {
      const before = await contentOf(database);
      const email = 'written.about@example.com';
      await atOnce(60, (index) => tryPassword(deployment, addressIn(2000 + (index % 20)), { email }));
      await atOnce(20, () => tryPassword(deployment, addressIn(2001)));
      expect(await contentOf(database)).toEqual(before);
      const keys = await client.keys(`${deployment.redisPrefix}*:l`);
      expect(keys.length).toBeGreaterThan(20);
      // -1: the key never expires. -2: the key has expired meanwhile.
      for (const key of keys) expect(await client.pttl(key)).not.toBe(-1);
      expect(keys.join()).not.toMatch(/20\.\d+\.|@/);
    } finally {
      client.disconnect();
      await database.end();
    }
  });
});

/** The number of rows of each table, and a digest of their content. */
async function contentOf(database: Client): Promise<Record<string, string>> {
  const tables = await database.query(
    // The process that does the jobs renews its lease all the time.
    `select tablename from pg_tables where schemaname = 'public' and tablename <> 'leases' order by 1`,
  );
  const content: Record<string, string> = {};
  for (const { tablename: table } of tables.rows) {
    const { rows } = await database.query(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as all from "${table}" t`,
    );
    content[table] = rows[0].all;
  }
  expect(Object.keys(content).length).toBeGreaterThan(5);
  return content;
}
