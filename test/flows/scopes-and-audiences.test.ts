import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { passwordSignIn } from '../../provider/lib/password-sign-in.ts';
import { type Deployment, demo } from '../support/deployment.ts';
import { apiLogin, getProfile, getUserinfo } from '../support/json-api.ts';
import { runToEnd } from '../support/program.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  jsonAnswer,
  type Parameters,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { billing, startWithTwoApis } from './two-apis.ts';

describe('scopes and audiences (DESIGN §4)', () => {
  let deployment: Deployment;
  let both: TestClient;
  let robot: TestClient;
  let web: TestClient;
  let ours: TestClient;
  let service: TestClient;
  beforeAll(async () => {
    ({ deployment, both, robot } = await startWithTwoApis());
    web = createTestClient(deployment, demoApps.web);
    ours = createTestClient(deployment, demoApps.firstParty);
    service = createTestClient(deployment, demoApps.service);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const signIn = (client: TestClient, parameters: Parameters) =>
    client.signIn(createUserAgent(deployment), parameters);
  const claimsOf = (token: unknown) => decodeJwt(String(token)).claims;
  const text = expect.any(String);
  const number = expect.any(Number);

  /** The claims of every access token (RFC 9068 §2.2). */
  const always = (client: string, aud: string, scope: unknown) => ({
    iss: deployment.issuer,
    aud,
    client_id: client,
    scope,
    sub: expect.stringMatching(/^user_/),
    jti: text,
    iat: number,
    exp: number,
  });
  /** How and when a person signed in (RFC 9068 §2.2.1). */
  const signedIn = { acr: passwordSignIn.acr, amr: ['pwd'], auth_time: number };
  /** These, and the claims that revocation needs in a person's token. */
  const ofFamily = { ...signedIn, family: expect.stringMatching(/^fam_/), generation: 0 };
  /** The claims that revocation needs in a third party's token, which depends on a consent. */
  const agreed = { ...ofFamily, consent: text };
  const address = { email: demo.email, email_verified: true };
  const all = {
    roles: ['CLIENT'],
    permissions: ['contracts:read', 'contracts:write', 'invoices.see', 'reports:read'],
  };

  describe('each token has these claims and no others', () => {
    test("a third party's without an API's scope: for the issuer, usable at userinfo", async () => {
      const { access_token, scope } = await signIn(web, { scope: 'openid' });
      expect(scope).toBe('openid');
      expect(claimsOf(access_token)).toEqual({
        ...always('demo-web', deployment.issuer, 'openid'),
        ...agreed,
        sid: text,
      });
      const userinfo = await jsonAnswer(await getUserinfo(deployment, access_token));
      expect([userinfo.status, Object.keys(userinfo.body)]).toEqual([200, ['sub']]);
    });

    test("a third party's with email", async () => {
      const { access_token } = await signIn(web, { scope: 'openid email' });
      const { scope, ...claims } = claimsOf(access_token);
      expect(claims).toEqual({
        ...always('demo-web', deployment.issuer, ''),
        ...agreed,
        ...address,
        sid: text,
        scope: undefined,
      });
      expect(String(scope).split(' ').sort()).toEqual(['email', 'openid']);
    });

    test("a third party's for an API: the permissions of the granted scopes, no roles, no address", async () => {
      const { access_token } = await signIn(web, { scope: 'openid contracts:read' });
      expect(claimsOf(access_token)).toEqual({
        ...always('demo-web', deployment.audience, 'openid contracts:read'),
        ...agreed,
        sid: text,
        permissions: ['contracts:read'],
      });
    });

    test('with offline_access: no session', async () => {
      const { access_token } = await signIn(web, { scope: 'openid offline_access', prompt: 'consent' });
      expect(claimsOf(access_token)).toEqual({
        ...always('demo-web', deployment.issuer, 'openid offline_access'),
        ...agreed,
      });
    });

    test("a first party's: roles and all permissions, with any requested scope", async () => {
      const { access_token } = await signIn(ours, { scope: 'openid contracts:read' });
      const person = { ...ofFamily, ...address, ...all };
      expect(claimsOf(access_token)).toEqual({
        ...always('demo-first-party', deployment.audience, 'openid contracts:read'),
        ...person,
        sid: text,
      });
      const { access_token: least } = await signIn(ours, { scope: 'openid' });
      expect(claimsOf(least)).toEqual({
        ...always('demo-first-party', deployment.audience, 'openid'),
        ...person,
        sid: text,
      });
    });

    test('the password grant and /auth/login: the same, without a session', async () => {
      const scope = 'openid profile email offline_access contracts:read contracts:write';
      const expected = {
        ...always('demo-first-party', deployment.audience, text),
        ...ofFamily,
        ...address,
        ...all,
      };
      const granted = tokensOf(await ours.passwordGrant());
      const { accessToken } = await apiLogin(deployment);
      for (const token of [granted.access_token, accessToken]) {
        expect(claimsOf(token)).toEqual(expected);
        expect(String(claimsOf(token).scope).split(' ').sort()).toEqual(scope.split(' ').sort());
      }
      const narrow = await ours.passwordGrant({ scope: 'contracts:read' });
      expect(claimsOf(narrow.body.access_token)).toEqual({ ...expected, scope: 'contracts:read' });
    });

    test("a machine's", async () => {
      const { access_token } = tokensOf(await service.clientCredentials());
      expect(claimsOf(access_token)).toEqual({
        ...always('demo-service', deployment.audience, 'contracts:read'),
        sub: 'demo-service',
      });
    });
  });

  describe('a refresh may ask for less (RFC 6749 §6)', () => {
    test('openid alone: a token for userinfo only; the next token has all scopes again', async () => {
      const tokens = await signIn(web, { scope: 'openid contracts:read' });
      const narrowed = tokensOf(await web.refresh(tokens.refresh_token, { scope: 'openid' }));
      expect(claimsOf(narrowed.access_token)).toMatchObject({ aud: deployment.issuer, scope: 'openid' });
      for (const name of ['permissions', 'roles', 'email'])
        expect(claimsOf(narrowed.access_token)).not.toHaveProperty(name);
      const full = tokensOf(await web.refresh(narrowed.refresh_token));
      expect(claimsOf(full.access_token)).toMatchObject({
        aud: deployment.audience,
        scope: 'openid contracts:read',
      });
    });

    test("the API's alone: no id token, and nothing for userinfo", async () => {
      const tokens = await signIn(web, { scope: 'openid contracts:read' });
      const narrowed = tokensOf(await web.refresh(tokens.refresh_token, { scope: 'contracts:read' }));
      expect(claimsOf(narrowed.access_token)).toMatchObject({
        aud: deployment.audience,
        scope: 'contracts:read',
      });
      expect(narrowed).not.toHaveProperty('id_token');
      expect((await getUserinfo(deployment, narrowed.access_token)).status).toBe(403);
    });

    test('never for more, and such a request doesn’t spend the token', async () => {
      const tokens = await signIn(web, { scope: 'openid' });
      for (const scope of [
        'openid contracts:read',
        'openid email',
        'openid contracts:write',
        'openid unheard-of',
      ])
        expect((await web.refresh(tokens.refresh_token, { scope })).body).toMatchObject({
          error: 'invalid_scope',
        });
      expect((await web.refresh(tokens.refresh_token)).status).toBe(200);
    });
  });

  describe('one audience per token (RFC 8707)', () => {
    const scope = 'openid contracts:read invoices:read';

    test('a service with two APIs gets a token for its default API unless it names the other', async () => {
      const byDefault = tokensOf(await robot.clientCredentials());
      expect(claimsOf(byDefault.access_token)).toMatchObject({ aud: billing, scope: 'invoices:read' });
      const named = tokensOf(await robot.clientCredentials({ resource: deployment.audience }));
      expect(claimsOf(named.access_token)).toMatchObject({
        aud: deployment.audience,
        scope: 'contracts:read',
      });
    });

    test('consent to two APIs gives a token for each, with the scopes and permissions of that API', async () => {
      const code = await both.code(createUserAgent(deployment), { scope });
      const first = tokensOf(await both.redeem(code, { resource: billing }));
      const forBilling = { scope: 'openid invoices:read', permissions: ['invoices.see'], aud: billing };
      const forContracts = {
        scope: 'openid contracts:read',
        permissions: ['contracts:read'],
        aud: deployment.audience,
      };
      expect(claimsOf(first.access_token)).toMatchObject(forBilling);
      const second = tokensOf(await both.refresh(first.refresh_token, { resource: deployment.audience }));
      expect(claimsOf(second.access_token)).toMatchObject(forContracts);
      const unnamed = tokensOf(await both.refresh(second.refresh_token));
      expect(claimsOf(unnamed.access_token)).toMatchObject(forContracts);
      const byScope = tokensOf(await both.refresh(unnamed.refresh_token, { scope: 'invoices:read' }));
      expect(claimsOf(byScope.access_token)).toMatchObject({ ...forBilling, scope: 'invoices:read' });
    });

    test('a resource that is unknown or without consent is an invalid target', async () => {
      const code = () => both.code(createUserAgent(deployment), { scope: 'openid contracts:read' });
      for (const resource of ['https://unknown.example', billing, 'no uri'])
        expect((await both.redeem(await code(), { resource })).body).toMatchObject({
          error: 'invalid_target',
        });
      const tokens = tokensOf(await both.redeem(await code()));
      for (const resource of ['https://unknown.example', billing])
        expect((await both.refresh(tokens.refresh_token, { resource })).body).toMatchObject({
          error: 'invalid_target',
        });
      expect((await both.refresh(tokens.refresh_token)).status).toBe(200);
    });

    test("a third party that names an API needs one of its scopes, and can't name an API without them", async () => {
      const agent = createUserAgent(deployment);
      const errorOf = async (client: TestClient, parameters: Parameters) =>
        new URL((await agent.get(client.authorizationUrl(parameters))).url).searchParams.get('error');
      expect(await errorOf(both, { resource: billing })).toBe('invalid_scope');
      expect(await errorOf(web, { resource: billing })).toBe('invalid_target');
      expect(await errorOf(web, { scope: 'openid invoices:read' })).toBe('invalid_scope');
    });
  });

  test('userinfo and /user/profile take a token for any API, and tell what its scopes allow', async () => {
    const person = { email: 'ann@example.com', password: 'a walk along the river' };
    const { folder, env } = deployment;
    const create = ['accounts', 'create', '--email', person.email, '--name', 'Ann Example'];
    await runToEnd([...create, '--role', 'CLIENT'], { env, cwd: folder, input: person.password });
    const { accessToken } = await apiLogin(deployment, person);
    const told = { sub: text, email: person.email, email_verified: false };
    expect(claimsOf(accessToken)).toMatchObject({ aud: deployment.audience });
    expect(claimsOf(accessToken)).not.toHaveProperty('name');
    expect((await jsonAnswer(await getUserinfo(deployment, accessToken))).body).toEqual({
      ...told,
      name: 'Ann Example',
      updated_at: number,
    });
    expect((await getProfile(deployment, accessToken)).status).toBe(200);
    const scope = 'openid email invoices:read';
    const code = await both.code(createUserAgent(deployment), { scope }, person);
    const { access_token } = tokensOf(await both.redeem(code, { resource: billing }));
    expect(claimsOf(access_token)).toMatchObject({ aud: billing });
    expect((await jsonAnswer(await getUserinfo(deployment, access_token))).body).toEqual(told);
    expect((await getProfile(deployment, access_token)).status).toBe(403);
  });

  test("no grant gives a scope that isn't in the client document", async () => {
    const invalidScope = { status: 400, body: { error: 'invalid_scope' } };
    for (const scope of ['contracts:write', 'contracts:read contracts:write', 'openid', 'invoices:read'])
      expect(await service.clientCredentials({ scope })).toMatchObject(invalidScope);
    expect(await service.clientCredentials({ resource: billing })).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    });
    for (const scope of ['openid invoices:read', 'unheard-of'])
      expect(await ours.passwordGrant({ scope })).toMatchObject(invalidScope);
  });
});
