import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Deployment, demo, eachStore } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type JsonAnswer,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp } from './apps.ts';
import { approve, beginAt, deviceFlow, pollFor, tvDocument } from './devices.ts';
import { dumpStores } from './store-dump.ts';

// More than a thousand tokens, on a machine that may be busy.
jest.setTimeout(300_000);

/** Where nothing at all may stay. */
const many = 300;
/** Where each is a sign-in, which takes its time. */
const some = 60;

const clients = [appDocument('web'), tvDocument('tv')];
/** What each sign-in leaves: its family, one entry in the list of the account's sign-ins, and what tells of it. */
const signIn = ['public.families', 'fam_ f', 'public.account_index', 'public.outbox'];
/** What it took on the way, which expires. */
const code = ['public.oidc_artifacts', 'AuthorizationCode: a'];
/** Twice: the code, and who let the device in. */
const deviceCode = ['public.oidc_artifacts', 'DeviceCode: a', 'DeviceCode# i'].flatMap((kind) => [
  kind,
  kind,
]);

/** The table of a row, or what a Redis key is about, without whose it is. */
function kindOf(stored: string): string {
  const [name = ''] = stored.split(' ');
  const { about, part } = /\{(?<about>[^}]*)\}:(?<part>\w+)/.exec(name)?.groups ?? {};
  return about === undefined ? name : `${about.replace(/(fam_|[:#]).*/, '$1')} ${part}`;
}

function countKinds(stored: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of stored.map(kindOf)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** So many times, a few at once. */
async function repeat(count: number, atOnce: number, work: () => Promise<string>): Promise<string[]> {
  const results: string[] = [];
  const worker = async () => {
    for (let left = count / atOnce; left > 0; left -= 1) results.push(await work());
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

const accessToken = (answer: JsonAnswer) => tokensOf(answer).access_token;

describe.each(eachStore)('access tokens leave nothing in the stores, on $name', ({ start }) => {
  let deployment: Deployment;
  let web: TestClient;
  let agent: UserAgent;
  beforeAll(async () => {
    const env = { ...deviceFlow, GATEHOUSE_LIMITS_PERCENT: '1000' };
    deployment = await start({ clients, env });
    web = createApp(deployment, 'web');
    agent = createUserAgent(deployment);
    await web.signIn(agent, { scope: allScopes });
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** What grew by more than `mayGrow` has of it for each token; and what names a token. */
  async function leftBy(issue: () => Promise<string[]>, mayGrow: string[] = []): Promise<string[]> {
    const before = countKinds(await dumpStores(deployment));
    const ids = (await issue()).map((token) => String(decodeJwt(token).claims.jti));
    expect(new Set(ids).size).toBeGreaterThanOrEqual(some);
    const stored = await dumpStores(deployment);
    const grown = [...countKinds(stored)].map(([kind, count]) => ({
      kind,
      by: count - (before.get(kind) ?? 0),
      most: mayGrow.filter((one) => one === kind).length * ids.length,
    }));
    const named = stored.filter((text) => ids.some((id) => text.includes(id)));
    return [
      ...grown.filter(({ by, most }) => by > most).map(({ kind, by }) => `${by} more of ${kind}`),
      ...named.map((text) => `a token's id in ${kindOf(text)}`),
    ];
  }

  test('of a machine', async () => {
    const service = createTestClient(deployment, demoApps.service);
    const one = async () => accessToken(await service.clientCredentials());
    expect(await leftBy(() => repeat(many, 10, one))).toEqual([]);
  });

  test('of refreshes, one after the other', async () => {
    let tokens = await web.signIn(agent, { scope: allScopes });
    const one = async () => {
      tokens = tokensOf(await web.refresh(tokens.refresh_token));
      return tokens.access_token;
    };
    // From the first on there is an answer kept for a repeat.
    await one();
    expect(await leftBy(() => repeat(many, 1, one))).toEqual([]);
  });

  test('of the first-party sign-ins but what a sign-in leaves', async () => {
    const firstParty = createTestClient(deployment, demoApps.firstParty);
    const one = async () => accessToken(await firstParty.passwordGrant({ scope: 'openid profile' }));
    expect(await leftBy(() => repeat(some, 10, one), signIn)).toEqual([]);
    const other = async () => (await apiLogin(deployment)).accessToken;
    expect(await leftBy(() => repeat(some, 10, other), signIn)).toEqual([]);
  });

  test('of codes but what a sign-in leaves, and the codes until they expire', async () => {
    const one = async () => (await web.signIn(agent, { scope: allScopes })).access_token;
    expect(await leftBy(() => repeat(some, 10, one), [...signIn, ...code])).toEqual([]);
  });

  test('of devices but what a sign-in leaves, and their codes until they expire', async () => {
    const tv = createApp(deployment, 'tv');
    const one = async () => {
      const { device_code, user_code } = await beginAt(tv);
      await approve(deployment, agent, user_code, demo);
      return accessToken(await pollFor(tv, device_code));
    };
    // Once, for the consent.
    await one();
    expect(await leftBy(() => repeat(some, 1, one), [...signIn, ...deviceCode])).toEqual([]);
  });
});
