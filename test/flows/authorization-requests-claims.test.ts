import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { acrLevels } from '../../provider/lib/password-sign-in.ts';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { getUserinfo } from '../support/json-api.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  jsonAnswer,
  type TestClient,
} from '../support/test-client.ts';
import { createUserAgent, signInAndAgree, type UserAgent } from '../support/user-agent.ts';

const redirectUri = 'http://localhost:8080/claims';
const open = { auth: 'none', redirectUris: [redirectUri] };
const documents = [
  { ...open, id: 'claims', name: 'Claims', scopes: ['openid', 'profile', 'email'] },
  { ...open, id: 'narrow', name: 'Narrow', scopes: ['openid', 'profile'] },
];

describe('the claims parameter (OpenID Connect Core §5.5)', () => {
  let deployment: InProcess;
  let agent: UserAgent;
  let app: TestClient;
  let narrow: TestClient;
  beforeAll(async () => {
    deployment = await startInProcess(documents);
    const john = await deployment.ports.accounts.findByEmail(demo.email);
    const metadata = { name: 'John Doe', locale: 'en', shoeSize: '45' };
    await deployment.unitOfWork.run(({ accounts }) =>
      accounts.update(String(john?.id), { metadata }, 1_700_000_000_000),
    );
    app = createTestClient(deployment, { id: 'claims', redirectUri });
    narrow = createTestClient(deployment, { id: 'narrow', redirectUri });
  }, 120_000);
  afterAll(() => deployment?.stop());
  beforeEach(() => {
    agent = createUserAgent(deployment);
  });

  const userinfo = async (token: string) => (await jsonAnswer(await getUserinfo(deployment, token))).body;
  const sub = expect.stringMatching(/^user_/);
  /** What every id token says about the sign-in. */
  const signIn = {
    auth_time: expect.any(Number),
    acr: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    amr: ['pwd'],
  };
  /** Signs in, and returns the claims of userinfo and of the id token. */
  const told = async (client: TestClient, claims: object, scope = 'openid') => {
    const tokens = await client.signIn(agent, { scope, claims: JSON.stringify(claims) });
    const { iss, aud, exp, iat, ...idToken } = decodeJwt(tokens.id_token).claims;
    return { tokens, idToken, userinfo: await userinfo(tokens.access_token) };
  };

  test('userinfo returns a claim that the request names, and no other claim of its scope', async () => {
    const { tokens, ...answer } = await told(app, { userinfo: { name: { essential: true } } });
    expect(answer).toEqual({ userinfo: { sub, name: 'John Doe' }, idToken: { sub, ...signIn } });
    expect(tokens.scope).toBe('openid');
    expect(decodeJwt(tokens.access_token).claims).not.toHaveProperty('name');
    const { body } = await app.refresh(tokens.refresh_token);
    expect(await userinfo(String(body.access_token))).toEqual({ sub, name: 'John Doe' });
  });

  test("the id token returns a claim that the request names, and userinfo doesn't", async () => {
    const { tokens, ...answer } = await told(app, {
      id_token: { email: null, auth_time: { essential: true } },
    });
    expect(answer).toEqual({
      idToken: { sub, ...signIn, email: demo.email },
      userinfo: { sub },
    });
    const { body } = await app.refresh(tokens.refresh_token);
    expect(decodeJwt(String(body.id_token)).claims).toMatchObject({ email: demo.email });
  });

  test('every id and access token has auth_time, amr and acr of the sign-in, also after a refresh; userinfo has none', async () => {
    const { tokens, idToken, userinfo: person } = await told(app, { id_token: {} });
    expect(idToken).toEqual({ sub, ...signIn });
    const kept = { auth_time: idToken.auth_time, acr: idToken.acr, amr: idToken.amr };
    deployment.advance(100);
    const { body } = await app.refresh(tokens.refresh_token);
    for (const token of [tokens.access_token, body.id_token, body.access_token])
      expect(decodeJwt(String(token)).claims).toMatchObject(kept);
    expect(Object.keys(person)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(a[cm]r|auth_time)$/)]),
    );
    const own = createTestClient(deployment, demoApps.firstParty);
    const { email: username, password } = demo;
    const granted = await own.post('token', { grant_type: 'password', username, password });
    for (const token of [granted.body.id_token, granted.body.access_token])
      expect(decodeJwt(String(token)).claims).toMatchObject(signIn);
  });

  describe('the acr of a sign-in', () => {
    const asks = async (acr: object, more: object = {}) => {
      const claims = JSON.stringify({ id_token: { acr } });
      return agent.get(app.authorizationUrl({ claims, ...more }));
    };

    test('is advertised, and is given to an app that asks for it by either way', async () => {
      const answer = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
      expect(await answer.json()).toMatchObject({
        acr_values_supported: acrLevels,
        claims_supported: expect.arrayContaining(['acr', 'amr', 'auth_time']),
      });
      const essential = { id_token: { acr: { essential: true, values: ['urn:other', signIn.acr] } } };
      expect((await told(app, essential)).idToken).toMatchObject(signIn);
      // OpenID Connect Core §3.1.2.1: acr_values are wishes, so others do not fail the request.
      const { id_token } = await app.signIn(agent, { acr_values: 'urn:other' });
      expect(decodeJwt(id_token).claims).toMatchObject(signIn);
    });

    test.each([{ values: ['urn:other'] }, { value: 'urn:other' }])(
      'that cannot be met (%j) is refused before the person signs in',
      async (wanted) => {
        for (const more of [{}, { prompt: 'login' }, { prompt: 'select_account' }, { prompt: 'none' }]) {
          const { url } = await asks({ essential: true, ...wanted }, more);
          expect(new URL(url).searchParams.get('error')).toBe('unmet_authentication_requirements');
        }
        expect((await asks(wanted)).html).toContain('name="password"');
      },
    );
  });

  test('claims that the request names come in addition to those of the scopes', async () => {
    const claims = { userinfo: { email: null }, id_token: { name: null } };
    const { userinfo: all, idToken } = await told(app, claims, 'openid profile');
    const profile = { name: 'John Doe', locale: 'en', updated_at: 1_700_000_000 };
    expect(all).toEqual({ sub, ...profile, email: demo.email });
    expect(idToken).toEqual({ sub, ...signIn, name: 'John Doe' });
    const { access_token } = await app.signIn(agent, { scope: 'openid profile' });
    expect(await userinfo(access_token)).toEqual({ sub, ...profile });
  });

  test('the person agrees once to the scope of a claim', async () => {
    const claims = JSON.stringify({ userinfo: { name: null } });
    const stranger = createTestClient(deployment, demoApps.spa);
    await stranger.signIn(agent);
    const page = await agent.get(stranger.authorizationUrl({ claims }));
    expect(page.html).toContain('name="decision"');
    await signInAndAgree(agent, page, demo);
    expect((await agent.get(stranger.authorizationUrl({ claims }))).url).toContain('code=');
  });

  test("a claim outside the client's scopes is neither returned nor shown for consent", async () => {
    await narrow.signIn(agent);
    const everywhere = { email: { essential: true }, email_verified: null };
    const claims = JSON.stringify({ userinfo: everywhere, id_token: everywhere });
    const page = await agent.get(narrow.authorizationUrl({ claims, prompt: 'none' }));
    expect(new URL(page.url).searchParams.get('code')).not.toBeNull();
    const { tokens, ...answer } = await told(
      narrow,
      { userinfo: everywhere, id_token: everywhere },
      'openid profile',
    );
    expect(answer.userinfo).toEqual({ sub, name: 'John Doe', locale: 'en', updated_at: expect.any(Number) });
    expect(answer.idToken).toEqual({ sub, ...signIn });
    expect(JSON.stringify(decodeJwt(tokens.access_token).claims)).not.toContain('email');
  });

  test('unknown claims and other fields of the account are left out', async () => {
    const odd = { shoeSize: null, password: null, roles: null, metadata: null, passwordHash: null };
    const { tokens, ...answer } = await told(app, { userinfo: odd, id_token: odd });
    expect(answer).toEqual({ userinfo: { sub }, idToken: { sub, ...signIn } });
  });

  test('a `sub` of another person requires that person to sign in', async () => {
    const { idToken } = await told(app, { id_token: { auth_time: null } });
    const asked = async (value: string) => {
      const claims = JSON.stringify({ id_token: { sub: { value } } });
      return new URL((await agent.get(app.authorizationUrl({ claims, prompt: 'none' }))).url).searchParams;
    };
    expect((await asked(String(idToken.sub))).get('code')).not.toBeNull();
    expect((await asked('user_other')).get('error')).toBe('login_required');
  });
});
