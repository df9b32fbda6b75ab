import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { multiFactorAcr, passwordAcr } from '../../provider/lib/password-sign-in.ts';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import {
  bearer,
  createTestClient,
  decodeJwt,
  demoApps,
  type TestClient,
  type Tokens,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { createApp } from './apps.ts';
import { approve, beginAt, deviceFlow, pollFor, tvDocument } from './devices.ts';

describe('the level and the time of a sign-in', () => {
  let deployment: InProcess;
  let web: TestClient;
  let spa: TestClient;
  let own: TestClient;
  let tv: TestClient;
  let agent: UserAgent;
  beforeAll(async () => {
    const off = { GATEHOUSE_SECOND_FACTOR: 'off', GATEHOUSE_PASSKEYS: 'off' };
    deployment = await startInProcess([tvDocument('tv')], { ...deviceFlow, ...off });
    web = createTestClient(deployment, demoApps.web);
    spa = createTestClient(deployment, demoApps.spa);
    own = createTestClient(deployment, demoApps.firstParty);
    tv = createApp(deployment, 'tv');
  }, 120_000);
  afterAll(() => deployment?.stop());
  beforeEach(() => {
    agent = createUserAgent(deployment);
  });

  const scope = 'openid contracts:read offline_access';
  const now = () => Math.floor(Date.now() / 1000);
  const signIn = (auth_time: number) => ({ acr: passwordAcr, amr: ['pwd'], auth_time });
  const claimsOf = (token: unknown) => {
    const { acr, amr, auth_time } = decodeJwt(String(token)).claims;
    return { acr, amr, auth_time: Number(auth_time) };
  };
  /** Both tokens say the same about the sign-in. */
  const toldBy = ({ access_token, id_token }: Partial<Tokens>) => {
    const claims = claimsOf(access_token);
    expect(claimsOf(id_token)).toEqual(claims);
    return claims;
  };
  const refreshed = async (app: TestClient, { refresh_token }: Partial<Tokens>) =>
    tokensOf(await app.refresh(refresh_token));

  test('the code flow: a refresh keeps both, and single sign-on gives those of the session', async () => {
    const tokens = await web.signIn(agent, { scope });
    const first = toldBy(tokens);
    expect(first).toEqual(signIn(first.auth_time));
    expect(Math.abs(now() - first.auth_time)).toBeLessThan(60);
    deployment.advance(200);
    const next = await refreshed(web, tokens);
    expect(toldBy(next)).toEqual(first);
    expect(Number(decodeJwt(next.access_token).claims.iat) - first.auth_time).toBeGreaterThanOrEqual(200);
    expect(toldBy(await refreshed(web, next))).toEqual(first);
    expect(toldBy(await spa.signIn(agent, { scope }))).toEqual(first);
    const again = toldBy(await spa.signIn(agent, { scope, prompt: 'login' }));
    expect(again.auth_time - first.auth_time).toBeGreaterThanOrEqual(200);
    // The family of the first sign-in is not changed by the second one.
    expect(toldBy(await refreshed(web, tokensOf(await web.refresh(next.refresh_token))))).toEqual(first);
  });

  test('the password grant and /auth/login, also after a refresh', async () => {
    const granted = tokensOf(await own.passwordGrant());
    const first = toldBy(granted);
    expect(first).toEqual(signIn(first.auth_time));
    const login = await apiLogin(deployment);
    const atLogin = claimsOf(login.accessToken);
    deployment.advance(100);
    expect(toldBy(await refreshed(own, granted))).toEqual(first);
    const { body } = await callJsonApi(deployment, '/auth/refresh', { refreshToken: login.refreshToken });
    expect(claimsOf(body.accessToken)).toEqual(atLogin);
  });

  test('the device flow: those of the browser in which the person let the device in', async () => {
    const session = toldBy(await web.signIn(agent, { scope }));
    deployment.advance(100);
    const { device_code, user_code } = await beginAt(tv);
    await approve(deployment, agent, user_code, demo);
    const tokens = tokensOf(await pollFor(tv, device_code));
    expect(toldBy(tokens)).toEqual(session);
    deployment.advance(100);
    expect(toldBy(await refreshed(tv, tokens))).toEqual(session);
  });

  test('a service of its own has neither, and introspection tells both to an API', async () => {
    const machine = createTestClient(deployment, demoApps.service);
    const { access_token } = tokensOf(await machine.clientCredentials());
    expect(Object.keys(decodeJwt(access_token).claims)).not.toContain('auth_time');
    const { body } = await web.post('introspect', {
      token: (await web.signIn(agent, { scope })).access_token,
    });
    expect(body).toMatchObject({
      active: true,
      acr: passwordAcr,
      amr: ['pwd'],
      auth_time: expect.any(Number),
    });
  });

  const verify = async (token: string, query: string) => {
    const url = `${deployment.issuer}/auth/verify?audience=${deployment.audience}&${query}`;
    const { status, headers } = await deployment.fetch(url, { headers: bearer(token) });
    return { status, challenge: headers.get('www-authenticate') ?? '' };
  };

  test('a step-up from the refusal of an API to its approval: a refresh is not enough, a new sign-in is', async () => {
    const tokens = await web.signIn(agent, { scope });
    const wanted = `max_age=300&acr=${encodeURIComponent(passwordAcr)}`;
    expect(await verify(tokens.access_token, wanted)).toMatchObject({ status: 200 });
    deployment.advance(301);
    const refusal = await verify(tokens.access_token, wanted);
    expect(refusal.status).toBe(401);
    expect(refusal.challenge).toMatch(/^Bearer error="insufficient_user_authentication", /);
    const { access_token, refresh_token } = await refreshed(web, tokens);
    expect(await verify(access_token, wanted)).toEqual(refusal);

    const parameters = Object.fromEntries(
      [...refusal.challenge.matchAll(/(acr_values|max_age)="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    expect(parameters).toEqual({ max_age: '300', acr_values: passwordAcr });
    const page = await agent.get(web.authorizationUrl({ scope, ...parameters }));
    expect(page.html).toContain('name="password"');
    const back = new URL(await signInAndAgree(agent, page, demo));
    const fresh = tokensOf(await web.redeem(String(back.searchParams.get('code'))));
    expect(await verify(fresh.access_token, wanted)).toMatchObject({ status: 200 });
    // The same request again is answered at once, because the sign-in is fresh now.
    expect((await agent.get(web.authorizationUrl({ scope, ...parameters }))).url).toContain('code=');
    // The older family stays as it was.
    const older = tokensOf(await web.refresh(refresh_token));
    expect((await verify(older.access_token, wanted)).status).toBe(401);
  });

  test('the browser cannot weaken a step-up by a pushed request', async () => {
    await web.signIn(agent, { scope });
    deployment.advance(301);
    const weak = await agent.get(web.authorizationUrl({ scope, max_age: '900' }));
    expect(weak.url).toContain('code=');
    const pushed = new URL(web.authorizationUrl({ scope, max_age: '300' })).searchParams;
    const { body } = await web.post('par', Object.fromEntries(pushed));
    const weakened = new URLSearchParams({
      client_id: web.id,
      request_uri: String(body.request_uri),
      max_age: '900',
    });
    const page = await agent.get(`${deployment.issuer}/oauth2/authorize?${weakened}`);
    expect(page.html).toContain('name="password"');
    expect(await signInAndAgree(agent, page, demo)).toContain('code=');
  });

  test('a level that nothing here reaches is refused at once: to the gateway and to the app', async () => {
    const { access_token } = await web.signIn(agent, { scope });
    expect((await verify(access_token, `acr=${encodeURIComponent(multiFactorAcr)}`)).status).toBe(400);
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: multiFactorAcr } } });
    const { url } = await createUserAgent(deployment).get(web.authorizationUrl({ scope, claims }));
    expect(new URL(url).searchParams.get('error')).toBe('unmet_authentication_requirements');
  });
});
