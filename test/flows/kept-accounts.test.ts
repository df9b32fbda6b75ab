import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { type Deployment, oneProcess, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { runToEnd } from '../support/program.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { type TestClient, type Tokens, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type Person, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { formOf } from './account-pages.ts';
import { allScopes, appDocument, createApp, offline, standing } from './apps.ts';

describe('accounts and consents that processes cache', () => {
  let deployment: Deployment;
  let web: TestClient;
  /** The same app through each process. */
  let ways: TestClient[];
  beforeAll(async () => {
    deployment = await startServers({ clients: [appDocument('web')] });
    web = createApp(deployment, 'web');
    ways = deployment.origins.map((_, index) => createApp(oneProcess(deployment, index), 'web'));
  }, 120_000);
  afterAll(() => deployment?.stop());

  let person: Person;
  let agent: UserAgent;
  let tokens: Tokens;
  beforeEach(async () => {
    person = await newPerson(deployment);
    agent = createUserAgent(deployment);
    tokens = await web.signIn(agent, offline, person);
    await keptEverywhere();
  });

  const command = (...args: string[]) => runToEnd(args, { env: deployment.env, cwd: deployment.folder });

  /** How often a process asked Postgres for an account or a consent. */
  const asked = async (process: number) => {
    const counts = await Promise.all(
      ['accounts.find', 'consents.find'].map((operation) =>
        metric(
          oneProcess(deployment, process),
          'gatehouse_store_call_duration_seconds_count',
          `"${operation}`,
        ),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const refreshAt = async (process: number) => {
    const answer = await ways[process]?.refresh(tokens.refresh_token);
    if (answer?.status === 200) tokens = tokensOf(answer);
    return answer?.status === 200 ? 'refreshed' : String(answer?.body.error);
  };

  /** Uses the tokens at each process, so that each caches the account and the consent. */
  async function keptEverywhere(): Promise<void> {
    for (const process of deployment.origins.keys()) expect(await refreshAt(process)).toBe('refreshed');
    expect(await standing(deployment, web, tokens.access_token)).toBe('live');
  }

  test('after the first refresh, refreshes and checks don’t ask Postgres', async () => {
    const before = [await asked(0), await asked(1)];
    await keptEverywhere();
    // `/user/profile` always reads the account from Postgres.
    expect([await asked(0), await asked(1)]).toEqual(before.map((count) => count + 1));
  });

  test('a new password ends everything at once on every process', async () => {
    const page = await openAccount(deployment, agent, person);
    const change = { currentPassword: person.password, newPassword: 'a longer walk along the river' };
    await agent.submit(formOf(page, 'password'), change);
    expect([await refreshAt(0), await refreshAt(1)]).toEqual(['invalid_grant', 'invalid_grant']);
    expect(await standing(deployment, web, tokens.access_token)).toBe('dead');
  });

  test('a withdrawn or larger consent counts at once on every process', async () => {
    const page = await openAccount(deployment, agent, person);
    await agent.submit(formOf(page, 'withdraw', 'value="web"'), {});
    expect([await refreshAt(0), await refreshAt(1)]).toEqual(['invalid_grant', 'invalid_grant']);
    expect(await standing(deployment, web, tokens.access_token)).toBe('dead');
    const less = await web.signIn(agent, { scope: 'openid offline_access', prompt: 'consent' }, person);
    await Promise.all(ways.map((way) => way.post('introspect', { token: less.access_token })));
    tokens = await web.signIn(agent, offline, person);
    expect(tokens.scope?.split(' ').sort()).toEqual([...allScopes.split(' '), 'offline_access'].sort());
    expect([await refreshAt(0), await refreshAt(1)]).toEqual(['refreshed', 'refreshed']);
    expect(tokens.scope?.split(' ')).toContain('contracts:read');
  });

  test('a change by a command counts a moment later on every process', async () => {
    let { refreshToken } = await apiLogin(deployment, { ...person });
    const rolesAt = async (process: number) => {
      const answer = await callJsonApi(oneProcess(deployment, process), '/auth/refresh', { refreshToken });
      refreshToken = String(answer.body.refreshToken);
      return decodeJwt(String(answer.body.accessToken)).roles;
    };
    for (const process of deployment.origins.keys()) expect(await rolesAt(process)).toEqual(['CLIENT']);
    await command('accounts', 'set-roles', person.email, '--none');
    for (const process of deployment.origins.keys())
      await waitFor(async () => String(await rolesAt(process)) === '', { what: 'the roles to be gone' });
    await command('accounts', 'disable', person.email);
    await waitFor(async () => (await standing(deployment, web, tokens.access_token)) === 'dead', {
      what: 'a token that is dead everywhere',
    });
    expect([await refreshAt(0), await refreshAt(1)]).toEqual(['invalid_grant', 'invalid_grant']);
  });
});
