import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo } from '../support/deployment.ts';
import { apiLogin, getUserinfo } from '../support/json-api.ts';
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
import { startWithTwoApis } from './two-apis.ts';

describe('scopes and audiences (DESIGN §4)', () => {
  let deployment: Deployment;
  let web: TestClient;
  let ours: TestClient;
  let service: TestClient;
  beforeAll(async () => {
    ({ deployment } = await startWithTwoApis());
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

  /** RFC 9068 §2.2, for every access token. */
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
  /** What revocation needs of a person's token. */
  const ofFamily = { family: expect.stringMatching(/^fam_/), generation: 0 };
  /** And of one of a third party's, which rests on what the person agreed to. */
  const agreed = { ...ofFamily, consent: text };
  const address = { email: demo.email, email_verified: true };
  const all = {
    roles: ['CLIENT'],
    permissions: ['contracts:read', 'contracts:write', 'invoices.see', 'reports:read'],
  };

  describe('each token has these claims and no others', () => {
    test("a third party's without an API's scope: for the issuer, good for userinfo", async () => {
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

    test('with offline_access it names no session', async () => {
      const { access_token } = await signIn(web, { scope: 'openid offline_access', prompt: 'consent' });
      expect(claimsOf(access_token)).toEqual({
        ...always('demo-web', deployment.issuer, 'openid offline_access'),
        ...agreed,
      });
    });

    test("a first party's: roles and all permissions, whatever it asks for", async () => {
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
});
