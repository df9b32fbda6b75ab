import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { profileClaims, protocolScopes } from '../../provider/lib/oidc-scopes.ts';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { getUserinfo } from '../support/json-api.ts';
import { decodeJwt, jsonAnswer, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';

const page = await readFile('docs/tokens.md', 'utf8');

/** The rows of the first table under a heading, as cells. */
function rowsUnder(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const table = /(?:^\|.*\|\n)+/m.exec(section)?.[0] ?? '';
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => line.split('|').slice(1, -1));
}

const namesIn = (cell = '') => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name);
const namesUnder = (heading: string) => rowsUnder(heading).flatMap(([cell]) => namesIn(cell));

interface Row {
  shared: string[];
  thirdParty: string[];
  firstParty: string[];
}

/** The table of claims by scope. `API` is the row of scopes of an API. */
const byScope = new Map(
  rowsUnder('Claims by scope').map(([scope = '', ...cells]): [string, Row] => {
    const [shared = [], thirdParty = [], firstParty = []] = cells.map(namesIn);
    return [namesIn(scope)[0] ?? 'API', { shared, thirdParty, firstParty }];
  }),
);

const listed = [...profileClaims, 'email', 'email_verified', 'roles', 'groups'];
// All claims together are too much for one id token.
const lists = { first: listed.slice(0, 9), second: listed.slice(9) };
const scopes = [...protocolScopes, 'contracts:read'];
const clients = [
  ...Object.entries(lists).map(([id, idTokenClaims]) => appDocument(id, { scopes, idTokenClaims })),
  appDocument('plain', { scopes, backchannelLogoutUri: 'https://plain.example.com/logout' }),
  appDocument('own', { scopes, firstParty: true }),
];

const texts = profileClaims.filter((name) => name !== 'updated_at').map((name) => [name, 'a value']);
const person = { email: 'everything@example.com', password: demo.password };

describe('docs/tokens.md', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess(clients);
    const { accounts } = deployment.ports;
    const john = await accounts.findByEmail(demo.email);
    if (!john) throw new Error('there is no demo account');
    const metadata = Object.fromEntries(texts);
    await accounts.insert({ ...john, id: 'user_everything', email: person.email, metadata });
  }, 120_000);
  afterAll(() => deployment?.stop());

  async function signIn(app: TestClient, scope: string, nonce?: string) {
    const agent = createUserAgent(deployment);
    const start = app.authorizationUrl({ scope, nonce });
    const url = await signInAndAgree(agent, await agent.get(start), person);
    return tokensOf(await app.redeem(new URL(url).searchParams.get('code') ?? ''));
  }
  const claimsOf = (token?: string) => Object.keys(decodeJwt(token).claims);
  const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

  test('has a row for each scope, and the claims of profile', () => {
    expect([...byScope.keys()]).toEqual([...protocolScopes, 'API']);
    expect(byScope.get('profile')?.shared).toEqual(profileClaims);
  });

  test('names the claims of an id token, and no others', async () => {
    const plain = createApp(deployment, 'plain');
    const { id_token } = await signIn(plain, protocolScopes.join(' '), 'a-nonce');
    expect(sorted(claimsOf(id_token))).toEqual(sorted(namesUnder('Id token')));
    const without = await signIn(plain, 'openid');
    expect(claimsOf(without.id_token)).not.toContain('nonce');
  });

  test.each([...protocolScopes, 'API'].map((scope) => [scope]))(
    'has what the scope %s adds to userinfo and tokens',
    async (scope) => {
      const row = byScope.get(scope);
      const base = byScope.get('openid');
      if (!row || !base) throw new Error(`no row for ${scope}`);
      const asked = scope === 'openid' ? 'openid' : `openid ${scope === 'API' ? 'contracts:read' : scope}`;

      const third = await signIn(createApp(deployment, 'first'), asked);
      const second = await signIn(createApp(deployment, 'second'), asked);
      const idToken = [...claimsOf(third.id_token), ...claimsOf(second.id_token)].filter(
        (name) => name === 'sub' || listed.includes(name),
      );
      expect(sorted(idToken)).toEqual(sorted([...base.shared, ...row.shared]));
      const { body } = await jsonAnswer(await getUserinfo(deployment, third.access_token));
      expect(sorted(Object.keys(body))).toEqual(sorted([...base.shared, ...row.shared]));

      const ofPerson = [...listed, 'permissions'];
      const about = (token: string) => sorted(claimsOf(token).filter((name) => ofPerson.includes(name)));
      expect(about(third.access_token)).toEqual(sorted([...base.thirdParty, ...row.thirdParty]));
      const first = await signIn(createApp(deployment, 'own'), asked);
      expect(about(first.access_token)).toEqual(sorted([...base.firstParty, ...row.firstParty]));
    },
  );

  test('names the claims of an access token, and no others', async () => {
    const known = namesUnder('Access token');
    const seen = new Set<string>();
    for (const id of ['plain', 'own'])
      for (const scope of ['openid email', 'openid contracts:read offline_access'])
        for (const name of claimsOf((await signIn(createApp(deployment, id), scope)).access_token))
          seen.add(name);
    expect(known).toEqual(expect.arrayContaining([...seen]));
    // These need a proof of a key, a client that was revoked, and the parameter `claims`.
    const rare = ['cnf', 'client_generation', 'userinfo_claims'];
    expect(sorted(known)).toEqual(sorted([...seen, ...rare]));
  });
});
