import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, deployments } from '../support/deployment.ts';
import { type ApiTokens, apiLogin, comparable, getProfile, postJson } from '../support/json-api.ts';
import { createTestClient, decodeJwt, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { watched } from '../support/wrapped-deployment.ts';

const { email, password } = demo;

describe.each(deployments)('the JSON API on $name', ({ start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    // The JSON API never sets a cookie.
    deployment = watched(await start(), (answer, url) => {
      if (/\/(auth|user)\//.test(url)) expect(answer.headers.getSetCookie()).toEqual([]);
    });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const post = (path: string, body: unknown) => postJson(deployment, path, body);
  const refresh = (refreshToken: string, more = {}) => post('/auth/refresh', { refreshToken, ...more });
  const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

  describe('/auth/login', () => {
    test('returns tokens of the default client that may not be cached', async () => {
      const answer = await post('/auth/login', { email, password });
      const tokens = (await answer.json()) as ApiTokens;
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(tokens).toEqual({
        accessToken: expect.any(String),
        refreshToken: expect.any(String),
        expiresIn: 900,
      });
      const { header, claims } = decodeJwt(tokens.accessToken);
      expect(header).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
      expect(claims).toMatchObject({
        iss: deployment.issuer,
        aud: deployment.audience,
        client_id: 'demo-first-party',
        email,
        roles: ['CLIENT'],
        permissions: ['contracts:read'],
      });
      expect(String(claims.scope).split(' ').sort()).toEqual([
        ...['contracts:read', 'email', 'offline_access', 'openid', 'profile'],
      ]);
    });

    test('ignores case and surrounding blanks of an address', async () => {
      await apiLogin(deployment, { email: `  ${email.toUpperCase()} ` });
    });

    test('a wrong password and an unknown address get the same answer', async () => {
      const wrong = await post('/auth/login', { email, password: 'not-the-password' });
      const unknown = await post('/auth/login', {
        email: 'nobody@example.com',
        password: 'not-the-password',
      });
      const told = await comparable(wrong);
      expect(told).toEqual(await comparable(unknown));
      expect(told).toEqual(await comparable(await post('/auth/login', { email, password: '' })));
      expect(told).toMatchObject({ status: 401, text: expect.stringContaining('"invalid_credentials"') });
    });
  });

  describe('/auth/refresh', () => {
    test('returns the same fields, with tokens that work', async () => {
      const first = await apiLogin(deployment);
      const answer = await refresh(first.refreshToken);
      const next = (await answer.json()) as ApiTokens;
      expect(answer.status).toBe(200);
      expect(Object.keys(next).sort()).toEqual(['accessToken', 'expiresIn', 'refreshToken']);
      expect(next.expiresIn).toBe(900);
      expect(next.refreshToken).not.toBe(first.refreshToken);
      expect((await getProfile(deployment, next.accessToken)).status).toBe(200);
      expect((await refresh(next.refreshToken)).status).toBe(200);
    });

    test('every invalid refresh token gets the same answer', async () => {
      const { refreshToken } = await apiLogin(deployment);
      const altered = refreshToken.replace(/\.(.)/, (_, first) => `.${first === 'A' ? 'B' : 'A'}`);
      for (const token of ['never-issued', `${refreshToken}x`, altered]) {
        const answer = await refresh(token);
        expect([answer.status, await codeOf(answer)]).toEqual([401, 'invalid_grant']);
      }
      expect((await refresh(refreshToken)).status).toBe(200);
    });

    test("another client's refresh token is refused", async () => {
      const web = createTestClient(deployment, demoApps.web);
      const { refresh_token: theirs = '' } = await web.signIn(createUserAgent(deployment));
      const answer = await refresh(theirs);
      expect([answer.status, await codeOf(answer)]).toEqual([401, 'invalid_grant']);
      expect((await web.refresh(theirs)).status).toBe(200);
    });
  });

  describe('/auth/logout', () => {
    test('ends all tokens of that sign-in and no others, and can be repeated', async () => {
      const [one, other] = [await apiLogin(deployment), await apiLogin(deployment)];
      const answer = await post('/auth/logout', { refreshToken: one.refreshToken });
      expect([answer.status, await answer.text()]).toEqual([204, '']);
      expect(await codeOf(await refresh(one.refreshToken))).toBe('invalid_grant');
      expect((await getProfile(deployment, one.accessToken)).status).toBe(401);
      expect((await getProfile(deployment, other.accessToken)).status).toBe(200);
      expect((await refresh(other.refreshToken)).status).toBe(200);
      expect((await post('/auth/logout', { refreshToken: one.refreshToken })).status).toBe(204);
      expect((await post('/auth/logout', { refreshToken: 'never-issued' })).status).toBe(204);
    });

    test("doesn't end another client's sign-in", async () => {
      const web = createTestClient(deployment, demoApps.web);
      const theirs = await web.signIn(createUserAgent(deployment));
      expect((await post('/auth/logout', { refreshToken: theirs.refresh_token })).status).toBe(204);
      expect((await web.refresh(theirs.refresh_token)).status).toBe(200);
    });
  });

  describe('/auth/register', () => {
    test('gives the same answer for a new and a known address, and doesn’t change a known account', async () => {
      const fresh = { email: 'ann@example.com', password: 'a-fine-long-password' };
      const created = await comparable(await post('/auth/register', fresh));
      expect(created).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
      const known = await post('/auth/register', { email, password: 'another-fine-password' });
      expect(await comparable(known)).toEqual(created);

      const { accessToken } = await apiLogin(deployment, fresh);
      const profile = await (await getProfile(deployment, accessToken)).json();
      expect(profile).toMatchObject({ email: fresh.email, emailVerified: false, roles: ['CLIENT'] });
      await apiLogin(deployment);
      const taken = await post('/auth/login', { email, password: 'another-fine-password' });
      expect(taken.status).toBe(401);
    });

    test('reports a weak password and a wrong address, each by field', async () => {
      const answer = await post('/auth/register', { email: 'no-address', password: 'short' });
      const body = (await answer.json()) as { code: string; errors: { pointer: string }[] };
      expect([answer.status, body.code]).toEqual([400, 'validation_failed']);
      expect(body.errors.map(({ pointer }) => pointer)).toEqual(['/email', '/password']);
      for (const weak of ['passwordpassword', 'bea@example.com']) {
        const refused = await post('/auth/register', { email: 'bea@example.com', password: weak });
        expect(refused.status).toBe(400);
      }
    });

    test('of parallel sign-ups of one address exactly one creates the account', async () => {
      const tries = Array.from({ length: 6 }, (_, index) => ({
        email: index % 2 ? 'race@example.com' : 'RACE@Example.com',
        password: `racing-password-${index}`,
      }));
      const answers = await Promise.all(tries.map((body) => post('/auth/register', body)));
      expect(answers.map(({ status }) => status)).toEqual(tries.map(() => 202));
      const logins = await Promise.all(tries.map((body) => post('/auth/login', body)));
      expect(logins.map(({ status }) => status).sort()).toEqual([200, ...tries.slice(1).map(() => 401)]);
    });
  });

  describe('/user/profile', () => {
    test('returns the account to a first-party app', async () => {
      const { accessToken } = await apiLogin(deployment);
      const answer = await getProfile(deployment, accessToken);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.json()).toEqual({
        id: decodeJwt(accessToken).claims.sub,
        email,
        emailVerified: true,
        roles: ['CLIENT'],
        permissions: ['contracts:read'],
      });
    });

    test('requires a token, and gives no details without one', async () => {
      const answer = await getProfile(deployment);
      expect([answer.status, await codeOf(answer)]).toEqual([401, 'invalid_token']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    });

    test.each(['abc', 'a.b.c', `eyJhbGciOiJub25lIn0.${btoa('{"sub":"user_x"}')}.`])(
      'the token %s is invalid',
      async (token) => {
        const answer = await getProfile(deployment, token);
        expect([answer.status, await codeOf(answer)]).toEqual([401, 'invalid_token']);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/);
      },
    );

    test('requires the scope profile', async () => {
      const client = createTestClient(deployment, demoApps.firstParty);
      const { body } = await client.passwordGrant({ scope: 'openid email' });
      const answer = await getProfile(deployment, String(body.access_token));
      expect([answer.status, await codeOf(answer)]).toEqual([403, 'insufficient_scope']);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="insufficient_scope"/);
    });

    test('returns to a third party only what the person agreed to: no roles, the address only with its scope', async () => {
      const web = createTestClient(deployment, demoApps.web);
      const agent = createUserAgent(deployment);
      const plain = await web.signIn(agent, { scope: 'openid profile contracts:read' });
      const { sub } = decodeJwt(plain.access_token).claims;
      expect(await (await getProfile(deployment, plain.access_token)).json()).toEqual({
        id: sub,
        permissions: ['contracts:read'],
      });
      const more = await web.signIn(agent, { scope: 'openid profile email' });
      expect(await (await getProfile(deployment, more.access_token)).json()).toEqual({
        id: sub,
        email,
        emailVerified: true,
      });
    });

    test("refuses a machine's token and an id token", async () => {
      const service = createTestClient(deployment, demoApps.service);
      const machine = await service.clientCredentials();
      expect(machine.status).toBe(200);
      const { id_token: idToken = '' } = await createTestClient(deployment, demoApps.web).signIn(
        createUserAgent(deployment),
        { scope: 'openid profile' },
      );
      for (const token of [String(machine.body.access_token), idToken]) {
        const answer = await getProfile(deployment, token);
        expect([answer.status, await codeOf(answer)]).toEqual([401, 'invalid_token']);
      }
    });
  });
});
