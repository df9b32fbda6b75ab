import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { isReady } from '../support/fleet.ts';
import { type ApiTokens, apiLogin } from '../support/json-api.ts';
import { type OwnStores, startOwnStores } from '../support/own-stores.ts';
import { bearer, createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { formOf } from './account-pages.ts';
import { sentinel } from './bad-input/row.ts';

const { email, password } = demo;

/** Twice the longest wait for a store in `docs/operate.md`, because the machine may be busy. */
const longestMs = { postgres: 2 * 12_000, redis: 2 * 3_250 };

const unavailable = /^(store|temporarily)_unavailable$/;

interface Outcome {
  what: string;
  status: number;
  code: string;
  retryAfter: number;
  milliseconds: number;
}

describe('outages of the stores during requests', () => {
  let stores: OwnStores;
  let deployment: Deployment;
  let database: Client;
  beforeAll(async () => {
    stores = await startOwnStores();
    const env = {
      GATEHOUSE_DATABASE_URL: stores.postgresRelay.url,
      GATEHOUSE_REDIS_URL: stores.redis.url,
      GATEHOUSE_LOG_LEVEL: 'debug',
      // All sign-ins come in parallel. Another test covers a full queue.
      GATEHOUSE_HASHING_QUEUE: '500',
    };
    deployment = await startServers({ processes: 1, env });
    database = new Client({ connectionString: stores.postgres.url });
    database.on('error', () => {});
    await database.connect();
  }, 120_000);
  afterAll(async () => {
    await database?.end();
    await deployment?.stop();
    await stores?.stop();
  });

  const at = (path: string, init?: RequestInit) => deployment.fetch(`${deployment.issuer}${path}`, init);
  const post = (path: string, fields: object, headers: Record<string, string> = {}) =>
    at(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(fields),
    });
  const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    at(path, { method: 'POST', headers, body: new URLSearchParams(fields) });

  /** What people and apps hold before the outage. Each is used once. */
  async function prepare() {
    const agent = createUserAgent(deployment);
    const web = createTestClient(deployment, demoApps.web);
    await web.authorize(agent);
    const account = formOf(await agent.get(`${deployment.issuer}/account`), 'password');
    const visitor = createUserAgent(deployment);
    const page = await visitor.get(web.authorizationUrl());
    const cookie = (jar: Map<string, string>) =>
      [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const tokens = await Promise.all(Array.from({ length: 4 }, () => apiLogin(deployment)));
    return { web, session: cookie(agent.cookies), page, visitor: cookie(visitor.cookies), account, tokens };
  }
  type Prepared = Awaited<ReturnType<typeof prepare>>;

  const signUp = () =>
    post('/auth/register', { email: `${randomUUID()}@example.com`, password: `${sentinel}-all-fine` });
  const csrfOf = ({ html }: Page) => /name="csrf" value="(?<value>[^"]+)"/.exec(html)?.groups?.value ?? '';
  const spare = ({ tokens }: Prepared, index: number) => tokens[index] as ApiTokens;
  const firstParty = { client_id: demoApps.firstParty.id };

  /** All requests that need a store, by name. */
  const requests = (prepared: Prepared): Record<string, () => Promise<Response>> => {
    const { accessToken } = spare(prepared, 3);
    const browser = { accept: 'text/html' };
    const signIn = `${new URL(prepared.page.url).pathname}/sign-in`;
    const typed = { csrf: csrfOf(prepared.page), email, password };
    return {
      login: () => post('/auth/login', { email, password }),
      'sign-up': signUp,
      'refresh by JSON': () => post('/auth/refresh', { refreshToken: spare(prepared, 0).refreshToken }),
      logout: () => post('/auth/logout', { refreshToken: spare(prepared, 1).refreshToken }),
      profile: () => at('/user/profile', { headers: bearer(accessToken) }),
      userinfo: () => at('/oauth2/userinfo', { headers: bearer(accessToken) }),
      'password grant': () =>
        form('/oauth2/token', { grant_type: 'password', username: email, password, ...firstParty }),
      'refresh grant': () =>
        form('/oauth2/token', {
          grant_type: 'refresh_token',
          refresh_token: spare(prepared, 2).refreshToken,
          ...firstParty,
        }),
      'a code that is unknown': () =>
        form('/oauth2/token', {
          grant_type: 'authorization_code',
          code: 'x',
          redirect_uri: 'http://x',
          code_verifier: 'x',
          ...firstParty,
        }),
      introspection: () =>
        form('/oauth2/introspect', { token: spare(prepared, 3).accessToken, ...firstParty }),
      authorization: () =>
        at(prepared.web.authorizationUrl().slice(deployment.issuer.length), {
          headers: { ...browser, cookie: prepared.session },
        }),
      'the sign-in page': () =>
        at(new URL(prepared.page.url).pathname, { headers: { ...browser, cookie: prepared.visitor } }),
      'the sign-in form': () => form(signIn, typed, { ...browser, cookie: prepared.visitor }),
      'the account page': () => at('/account', { headers: { ...browser, cookie: prepared.session } }),
      'a new password': () =>
        form(
          '/account/password',
          {
            csrf: csrfOf(prepared.account),
            currentPassword: `${sentinel}-x`,
            newPassword: `${sentinel}-new`,
          },
          { ...browser, cookie: prepared.session },
        ),
      'the logout page': () => at('/oauth2/logout', { headers: { ...browser, cookie: prepared.session } }),
    };
  };

  async function outcomeOf(what: string, send: () => Promise<Response>): Promise<Outcome> {
    const startedAt = performance.now();
    const answer = await send();
    const body = await answer.text();
    const milliseconds = performance.now() - startedAt;
    const [, code = ''] = /"(?:code|error)":"(\w+)"|$/.exec(body) ?? [];
    const [, shown = code] = /<code>(\w+)<\/code>|$/.exec(body) ?? [];
    // The app gets the error by redirect (RFC 6749 §4.1.2.1).
    const told =
      new URL(answer.headers.get('location') ?? '', deployment.issuer).searchParams.get('error') ?? shown;
    const retryAfter = Number(answer.headers.get('retry-after') ?? 0);
    expect(body).not.toMatch(/\n\s+at |ECONN|ioredis|knex|postgres:|redis:\/\//);
    return { what, status: answer.status, code: told, retryAfter, milliseconds };
  }

  const all = (prepared: Prepared) =>
    Object.entries(requests(prepared)).map(([what, send]) => outcomeOf(what, send));

  /** Checks that each request succeeded, was refused for its content, or got 503 with Retry-After. */
  function expectTold(outcomes: Outcome[], longest: number): void {
    const untold = outcomes.filter(({ status, code, retryAfter, milliseconds }) => {
      const again = status === 503 && unavailable.test(code) && retryAfter > 0;
      return (status >= 500 && !again) || milliseconds > longest;
    });
    expect(untold).toEqual([]);
  }

  /** Checks that the deployment recovers without help, and that all writes are complete. */
  async function expectWhole(): Promise<void> {
    await waitFor(async () => (await isReady(deployment.opsOrigins[0])) && (await apiLogin(deployment)), {
      timeoutMs: 60_000,
      what: 'everything to be well again',
    });
    const { rows } = await database.query(
      `select a.id as account, o.id as event
       from accounts a full join (select * from outbox where type = 'user.created') o on o.subject = a.id
       where a.id is null or (o.id is null and a.email <> $1)`,
      [email],
    );
    expect(rows).toEqual([]);
    const prepared = await prepare();
    const outcomes = await Promise.all(all(prepared));
    expect(outcomes.filter(({ status }) => status >= 500)).toEqual([]);
    expect(deployment.programs[0]?.hasEnded()).toBe(false);
  }

  /** Four people at a time sign up, so that every outage interrupts a sign-up. */
  function keepSigningUp() {
    const answers: Outcome[] = [];
    let over = false;
    const one = async () => {
      while (!over) answers.push(await outcomeOf('sign-up', signUp));
    };
    const ended = Promise.all([one(), one(), one(), one()]);
    const stop = async () => {
      over = true;
      await ended;
    };
    return { answers, stop };
  }

  /** Sends all requests before and during an outage. Returns all answers after the outage. */
  async function during(gone: () => Promise<unknown>, comeBack: () => Promise<void>) {
    const [early, late] = [await prepare(), await prepare()];
    const crowd = keepSigningUp();
    await waitFor(() => crowd.answers.length > 8, { what: 'people to sign up' });
    const before = all(early);
    try {
      await gone();
      const meanwhile = await Promise.all(all(late));
      await crowd.stop();
      const refused = meanwhile.filter(({ code }) => unavailable.test(code)).map(({ what }) => what);
      return { answers: [...(await Promise.all(before)), ...meanwhile, ...crowd.answers], refused };
    } finally {
      await comeBack();
      await crowd.stop();
    }
  }

  test('Postgres stalls: every request is answered in time, and requests without Postgres work', async () => {
    let resume = async () => {};
    const stall = async () => {
      resume = await stores.postgres.stall();
      for (const path of ['openid-configuration', 'jwks.json'])
        expect((await at(`/.well-known/${path}`)).status).toBe(200);
    };
    const { answers, refused } = await during(stall, () => resume());
    expectTold(answers, longestMs.postgres);
    expect(refused).toEqual(
      expect.arrayContaining(['login', 'sign-up', 'password grant', 'logout', 'the account page']),
    );
    for (const goesOn of ['refresh grant', 'refresh by JSON', 'userinfo', 'introspection'])
      expect(refused).not.toContain(goesOn);
    await expectWhole();
  }, 120_000);

  test('Redis stalls: every request is answered in time', async () => {
    let resume = async () => {};
    const stall = async () => {
      resume = await stores.redis.stall();
    };
    const { answers, refused } = await during(stall, () => resume());
    expectTold(answers, longestMs.redis);
    expect(refused).toEqual(
      expect.arrayContaining([
        'login',
        'refresh by JSON',
        'refresh grant',
        'authorization',
        'the sign-in form',
      ]),
    );
    await expectWhole();
  }, 120_000);

  test('Postgres ends every connection, and returns', async () => {
    const die = async () => {
      await database.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
      );
      await stores.postgresRelay.cut();
    };
    const { answers, refused } = await during(die, stores.postgresRelay.mend);
    expectTold(answers, longestMs.postgres);
    expect(refused).toEqual(expect.arrayContaining(['login', 'sign-up', 'the sign-in form']));
    await expectWhole();
  }, 120_000);

  test('Redis dies, and returns without its data', async () => {
    const { answers, refused } = await during(stores.redis.stop, stores.redis.restart);
    expectTold(answers, longestMs.redis);
    expect(refused).toEqual(expect.arrayContaining(['login', 'refresh grant', 'authorization']));
    await expectWhole();
  }, 120_000);

  test('the log contains no server error and no secret', () => {
    const log = deployment.programs[0]?.output() ?? '';
    expect(log).toContain('store not reached');
    for (const secret of [password, sentinel, 'demo-web-secret', '$argon2'])
      expect(log).not.toContain(secret);
    const failed = log.split('\n').filter((line) => /failed on our side|could not be sent/.test(line));
    expect(failed).toEqual([]);
  });
});
