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

// More than a thousand tokens take long on a busy machine.
jest.setTimeout(300_000);

/** The number of tokens where nothing may be stored. */
const many = 300;
/** The number of tokens where each is a sign-in, which takes longer. */
const some = 60;

const clients = [appDocument('web'), tvDocument('tv')];
/**
 * The entries of each sign-in: its family, one row in the list of the account's sign-ins, an event, and a row of the history,
 * of which an account has at most 20.
 */
const signIn = [
  ...['public.families', 'fam_ f', 'public.account_index', 'public.outbox'],
  'public.recent_sign_ins',
];
/** The entries of each code, which expire. */
const code = ['public.oidc_artifacts', 'AuthorizationCode: a'];
/** The entries of each device code. Each occurs twice: for the code, and for the person's confirmation. */
const deviceCode = ['public.oidc_artifacts', 'DeviceCode: a', 'DeviceCode# i'].flatMap((kind) => [
  kind,
  kind,
]);

/** The table of a row, or the kind of a Redis key without the id in it. */
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

/** Repeats the work this many times, some in parallel. */
async function repeat(count: number, atOnce: number, work: () => Promise<string>): Promise<string[]> {
  const results: string[] = [];
  const worker = async () => {
    for (let left = count / atOnce; left > 0; left -= 1) results.push(await work());
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

const accessToken = (answer: JsonAnswer) => tokensOf(answer).access_token;

describe.each(eachStore)('access tokens are not stored, on $name', ({ start }) => {
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

  /** Entries that grew by more than `mayGrow` allows for each token, and entries that contain a token's id. */
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

  test('by client credentials', async () => {
    const service = createTestClient(deployment, demoApps.service);
    const one = async () => accessToken(await service.clientCredentials());
    expect(await leftBy(() => repeat(many, 10, one))).toEqual([]);
  });

  test('by refreshes, one after the other', async () => {
    let tokens = await web.signIn(agent, { scope: allScopes });
    const one = async () => {
      tokens = tokensOf(await web.refresh(tokens.refresh_token));
      return tokens.access_token;
    };
    // The first refresh stores an answer for repeats. Later refreshes replace it.
    await one();
    expect(await leftBy(() => repeat(many, 1, one))).toEqual([]);
  });

  test('by first-party sign-ins, except for the entries of each sign-in', async () => {
    const firstParty = createTestClient(deployment, demoApps.firstParty);
    const one = async () => accessToken(await firstParty.passwordGrant({ scope: 'openid profile' }));
    expect(await leftBy(() => repeat(some, 10, one), signIn)).toEqual([]);
    const other = async () => (await apiLogin(deployment)).accessToken;
    expect(await leftBy(() => repeat(some, 10, other), signIn)).toEqual([]);
  });

  test('by codes, except for the entries of each sign-in and codes that expire', async () => {
    const one = async () => (await web.signIn(agent, { scope: allScopes })).access_token;
    expect(await leftBy(() => repeat(some, 10, one), [...signIn, ...code])).toEqual([]);
  });

  test('by devices, except for the entries of each sign-in and codes that expire', async () => {
    const tv = createApp(deployment, 'tv');
    const one = async () => {
      const { device_code, user_code } = await beginAt(tv);
      await approve(deployment, agent, user_code, demo);
      return accessToken(await pollFor(tv, device_code));
    };
    // The first approval stores the consent.
    await one();
    expect(await leftBy(() => repeat(some, 1, one), [...signIn, ...deviceCode])).toEqual([]);
  });
});
