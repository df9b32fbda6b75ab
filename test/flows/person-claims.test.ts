import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { knownClaims } from '../../provider/config/token-budget.ts';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { callJsonApi } from '../support/json-api.ts';
import {
  bearer,
  createTestClient,
  decodeJwt,
  type TestClient,
  type Tokens,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';
import { beginAt, deviceFlow, enterCode, letIn, pollFor } from './devices.ts';

const scopes = ['openid', 'profile', 'email', 'roles', 'groups', 'offline_access', 'contracts:read'];
const idTokenClaims = ['groups', 'roles', 'email', 'department', 'name'];
const every = ['authorization_code', 'refresh_token', 'device_code'];
const own = { firstParty: true, auth: 'none', scopes, idTokenClaims };

const clients = [
  appDocument('plain', { scopes }),
  appDocument('listing', { scopes, idTokenClaims, grants: every }),
  appDocument('narrow', { scopes: ['openid', 'groups', 'roles'], idTokenClaims: ['groups'] }),
  appDocument('own', { ...own, grants: ['authorization_code', 'refresh_token', 'password'] }),
];

const claims = [
  { name: 'department', field: 'dept', scope: 'profile' },
  { name: 'level', field: 'level', scope: 'profile' },
  { name: 'on_call', field: 'onCall', scope: 'groups' },
  { name: 'teams', field: 'teams', scope: 'groups' },
  { name: 'inherited', field: 'toString', scope: 'groups' },
] as const;

const metadata = { name: 'Ann', dept: 'Sales', level: 3, onCall: false, teams: ['red', 'blue'], salary: 1 };

describe('claims about a person', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess(clients, deviceFlow, claims);
  }, 120_000);
  afterAll(() => deployment?.stop());

  let person: { id: string; email: string; password: string };
  let next = 0;
  beforeEach(async () => {
    const { accounts } = deployment.ports;
    const john = await accounts.findByEmail(demo.email);
    if (!john) throw new Error('there is no demo account');
    person = { id: `user_${next}`, email: `person-${next}@example.com`, password: demo.password };
    next += 1;
    await accounts.insert({
      ...john,
      id: person.id,
      email: person.email,
      roles: ['CLIENT', 'ADMIN'],
      metadata,
    });
  });
  const change = (fields: { metadata?: Record<string, unknown>; roles?: string[] }) =>
    deployment.unitOfWork.run((stores) => stores.accounts.update(person.id, fields, Date.now()));

  const signIn = async (app: TestClient, scope: string): Promise<Tokens> => {
    const agent = createUserAgent(deployment);
    const url = await signInAndAgree(agent, await agent.get(app.authorizationUrl({ scope })), person);
    return tokensOf(await app.redeem(new URL(url).searchParams.get('code') ?? ''));
  };
  const userinfo = async (token: string): Promise<Record<string, unknown>> => {
    const response = await deployment.fetch(`${deployment.issuer}/oauth2/userinfo`, {
      headers: bearer(token),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const idToken = ({ id_token }: { id_token?: unknown }) => {
    const { claims } = decodeJwt(String(id_token));
    const protocol = [
      'iss',
      'sub',
      'aud',
      'iat',
      'exp',
      'auth_time',
      'acr',
      'amr',
      'at_hash',
      'nonce',
      'sid',
    ];
    return Object.fromEntries(Object.entries(claims).filter(([name]) => !protocol.includes(name)));
  };
  const accessToken = (tokens: Tokens) => decodeJwt(tokens.access_token).claims;
  const roles = ['CLIENT', 'ADMIN'];
  const ofGroups = { groups: roles, on_call: false, teams: ['red', 'blue'] };

  test('are in userinfo for the scopes that the person agreed to, under the name of the scope', async () => {
    const app = createApp(deployment, 'plain');
    const { sub, ...byGroups } = await userinfo((await signIn(app, 'openid groups')).access_token);
    expect(byGroups).toEqual(ofGroups);
    expect(sub).toBe(person.id);
    const { access_token } = await signIn(app, 'openid roles profile');
    expect(await userinfo(access_token)).toEqual({
      sub,
      roles,
      name: 'Ann',
      department: 'Sales',
      level: 3,
      updated_at: expect.any(Number),
    });
  });

  test('are in the id token where the client document lists them, and stay in userinfo', async () => {
    const app = createApp(deployment, 'listing');
    const tokens = await signIn(app, 'openid groups profile offline_access');
    expect(idToken(tokens)).toEqual({ groups: roles, department: 'Sales', name: 'Ann' });
    expect(await userinfo(tokens.access_token)).toMatchObject({ ...ofGroups, department: 'Sales' });
    expect(idToken(await signIn(createApp(deployment, 'plain'), 'openid groups profile'))).toEqual({});
  });

  test('stay in the id token at a refresh, with the roles and the metadata of that time', async () => {
    const app = createApp(deployment, 'listing');
    const tokens = await signIn(app, 'openid groups profile offline_access');
    const refreshed = await app.refresh(tokens.refresh_token);
    expect(idToken(refreshed.body)).toEqual({ groups: roles, department: 'Sales', name: 'Ann' });
    await change({ roles: ['CLIENT'], metadata: { ...metadata, dept: 'Support' } });
    const again = await app.refresh(String(refreshed.body.refresh_token));
    expect(idToken(again.body)).toEqual({ groups: ['CLIENT'], department: 'Support', name: 'Ann' });
    const narrowed = await app.refresh(String(again.body.refresh_token), { scope: 'openid' });
    expect(idToken(narrowed.body)).toEqual({});
  });

  test('are in the id token of a device and of the password grant too', async () => {
    const tv = createApp(deployment, 'listing');
    const { device_code, user_code } = await beginAt(tv, 'openid groups');
    const agent = createUserAgent(deployment);
    await letIn(agent, await enterCode(deployment, agent, user_code), person);
    expect(idToken(tokensOf(await pollFor(tv, device_code)))).toEqual({ groups: roles });
    const app = createTestClient(deployment, { id: 'own' });
    const { email: username, password } = person;
    const granted = await app.post('token', {
      grant_type: 'password',
      username,
      password,
      scope: 'openid roles',
    });
    expect(idToken(granted.body)).toEqual({ roles });
  });

  test('need a granted scope: an id token never has a claim of a scope that was not asked for', async () => {
    const tokens = await signIn(createApp(deployment, 'listing'), 'openid email');
    expect(idToken(tokens)).toEqual({ email: person.email });
    expect(idToken(await signIn(createApp(deployment, 'narrow'), 'openid roles'))).toEqual({});
  });

  test('are in no access token of a third party; that of our own app has the roles, as ever', async () => {
    const third = accessToken(await signIn(createApp(deployment, 'listing'), scopes.join(' ')));
    const names = ['groups', 'roles', 'department', 'level', 'on_call', 'teams', 'name'];
    expect(Object.keys(third).filter((name) => names.includes(name))).toEqual([]);
    const { email, password } = person;
    const login = await callJsonApi(deployment, '/auth/login', { email, password, clientId: 'own' });
    const first = decodeJwt(String(login.body.accessToken)).claims;
    expect(Object.keys(first).filter((name) => names.includes(name))).toEqual(['roles']);
  });

  test('can be asked for by name, and need the consent for their scope', async () => {
    const agent = createUserAgent(deployment);
    const app = createApp(deployment, 'plain');
    const asked = JSON.stringify({ userinfo: { teams: null }, id_token: { department: null } });
    const page = await agent.submit(
      await agent.get(app.authorizationUrl({ scope: 'openid', claims: asked })),
      person,
    );
    expect(page.html).toContain('See the groups you belong to');
    expect(page.html).toContain('See your basic profile');
    const code = new URL(await signInAndAgree(agent, page, person)).searchParams.get('code') ?? '';
    const tokens = tokensOf(await app.redeem(code));
    expect(idToken(tokens)).toEqual({ department: 'Sales' });
    expect(await userinfo(tokens.access_token)).toEqual({ sub: person.id, teams: ['red', 'blue'] });
  });

  test('from the metadata are text, numbers, booleans and lists of text; others and large ones are left out', async () => {
    const app = createApp(deployment, 'listing');
    const claimsWith = async (changed: Record<string, unknown>) => {
      await change({ metadata: { name: 'n'.repeat(300), ...changed } });
      const tokens = await signIn(app, 'openid profile groups');
      const { sub: _, groups: _g, updated_at: _u, ...told } = await userinfo(tokens.access_token);
      return { told, idToken: idToken(tokens) };
    };
    const name = 'n'.repeat(300);
    for (const bad of [null, {}, { a: 1 }, [1], ['a', null], [['a']], 'x'.repeat(255), ['y'.repeat(253)]])
      expect(await claimsWith({ dept: bad, teams: bad })).toEqual({
        told: { name },
        idToken: { groups: roles },
      });
    const largest = { dept: 'x'.repeat(254), level: -1.5, onCall: true, teams: [] };
    expect(await claimsWith(largest)).toEqual({
      told: { name, department: largest.dept, level: -1.5, on_call: true, teams: [] },
      idToken: { groups: roles, department: largest.dept },
    });
  });

  test('make no id token longer than the checks of client documents assume', async () => {
    const long = 'x'.repeat(254);
    await change({ metadata: { ...metadata, dept: long, name: long } });
    const { id_token } = await signIn(createApp(deployment, 'listing'), scopes.join(' '));
    expect(Object.keys(decodeJwt(id_token).claims)).toEqual(expect.arrayContaining(idTokenClaims));
    const known = knownClaims({ apis: [], roles: { CLIENT: [], ADMIN: [] }, claims }, deployment.issuer);
    expect(String(id_token).length).toBeLessThanOrEqual(known.idTokenBytes(idTokenClaims));
  });

  test('and their scopes are listed in discovery, with the scopes of APIs', async () => {
    const answer = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    const metadata = (await answer.json()) as Record<string, string[]>;
    expect(metadata.scopes_supported).toEqual([...new Set([...scopes, 'contracts:write'])]);
    expect(metadata.claims_supported).toEqual(
      expect.arrayContaining(['sub', 'email', 'roles', 'groups', ...claims.map(({ name }) => name)]),
    );
    expect(metadata.subject_types_supported).toEqual(['public']);
  });
});
