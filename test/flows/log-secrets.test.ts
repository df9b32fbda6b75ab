import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, getProfile, postJson } from '../support/json-api.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { metricsOf } from '../support/metrics.ts';
import { forgotLink, recoveryMail } from '../support/recovery.ts';
import { Secrets, testServerSecret } from '../support/secrets.ts';
import { bearer, createTestClient, demoApps, pkce, type TestClient } from '../support/test-client.ts';
import { createUserAgent, hiddenField, type UserAgent } from '../support/user-agent.ts';

describe('the log at level debug', () => {
  let deployment: Deployment;
  let web: TestClient;
  let agent: UserAgent;
  let mails: MailServer;
  const secrets = new Secrets();
  beforeAll(async () => {
    mails = await startMailServer();
    const env = {
      GATEHOUSE_LOG_LEVEL: 'debug',
      ...mails.settings,
    };
    deployment = await startServers({ processes: 1, env });
    web = createTestClient(deployment, demoApps.web);
    agent = createUserAgent(deployment);
    secrets.add('the demo password', demo.password);
    secrets.add('the client secret', demoApps.web.secret);
    secrets.add('basic credentials', btoa(`${demoApps.web.id}:${demoApps.web.secret}`));
    secrets.add('the verifier', pkce.verifier);
    secrets.add('the server secret', testServerSecret);
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await mails?.close();
  });

  const post = (path: string, body: unknown, headers?: Record<string, string>) =>
    postJson(deployment, path, body, headers);
  const get = (path: string, headers: Record<string, string> = {}) =>
    deployment.fetch(`${deployment.issuer}${path}`, { headers });

  async function driveJsonApi(): Promise<void> {
    const { email, password } = demo;
    const wrong = secrets.add('a wrong password', 'not-the-right-password');
    const chosen = secrets.add('a chosen password', 'chosen-at-sign-up-9');
    const tokens = await apiLogin(deployment);
    for (const value of [tokens.accessToken, tokens.refreshToken]) secrets.add('an API token', value);
    await post('/auth/login', { email, password: wrong });
    await post('/auth/login', { email: wrong, password });
    await post('/auth/login', { email, password, clientId: wrong });
    await post('/auth/login', { email, [wrong]: password });
    await post('/auth/login', `{"email":"${email}","password":"${wrong}"`);
    await post('/auth/login', { email, password: wrong }, { 'content-type': 'text/plain' });
    await post('/auth/register', { email: 'logged@example.com', password: chosen });
    await post('/auth/register', { email, password: chosen });
    await post('/auth/register', { email: 'no-address', password: chosen });
    const refreshed = await post('/auth/refresh', { refreshToken: tokens.refreshToken });
    const next = (await refreshed.json()) as { accessToken: string; refreshToken: string };
    for (const value of [next.accessToken, next.refreshToken]) secrets.add('a refreshed token', value);
    await getProfile(deployment, next.accessToken);
    await getProfile(deployment, `${next.accessToken}x`);
    await get(`/user/profile?access_token=${next.accessToken}`);
    await get(`/auth/login?password=${wrong}`);
    await get(`/${wrong}/${next.refreshToken}`);
    await post('/auth/refresh', { refreshToken: tokens.refreshToken });
    await post('/auth/logout', { refreshToken: next.refreshToken });
  }

  async function driveProtocol(): Promise<void> {
    const returned = await web.authorize(agent, { scope: 'openid email offline_access contracts:read' });
    const code = secrets.add('a code', returned.get('code'));
    await web.redeem(code, { code_verifier: 'a'.repeat(43) });
    await web.redeem(code, { redirect_uri: 'http://localhost:8080/elsewhere' });
    const { body } = await web.redeem(code);
    for (const name of ['access_token', 'refresh_token', 'id_token']) secrets.add(name, body[name]);
    await web.redeem(code);
    const refreshed = await web.refresh(String(body.refresh_token));
    secrets.add('the next refresh token', refreshed.body.refresh_token);
    await web.refresh(`${body.refresh_token}x`);
    for (const token of [body.access_token, body.refresh_token, 'never-issued-at-all']) {
      await web.post('introspect', { token: String(token) });
      await web.post('revoke', { token: String(token) });
      await get('/oauth2/userinfo', bearer(String(token)));
      await get(`/oauth2/userinfo?access_token=${token}`);
    }
    const bad = secrets.add('a wrong client secret', 'not-the-client-secret');
    const stranger = createTestClient(deployment, { ...demoApps.web, secret: bad });
    await stranger.refresh(String(body.refresh_token));
    secrets.add('bad basic credentials', btoa(`demo-web:${bad}`));
    const anonymous = createTestClient(deployment, { id: 'demo-web' });
    await anonymous.clientCredentials({ client_secret: bad });
    await anonymous.post('token', { grant_type: 'nonsense', client_assertion: `${body.id_token}` });
    const password = secrets.add('a wrong password', 'wrong-at-the-token-endpoint');
    const firstParty = createTestClient(deployment, demoApps.firstParty);
    await firstParty.passwordGrant({ password });
    await firstParty.passwordGrant({ username: password });
    const pushed = await web.post('par', {
      client_id: web.id,
      redirect_uri: web.redirectUri,
      response_type: 'code',
      scope: 'openid',
      code_challenge: pkce.challenge,
      code_challenge_method: 'S256',
    });
    const requestUri = secrets.add('a pushed request', pushed.body.request_uri);
    for (let time = 0; time < 2; time += 1) {
      const query = new URLSearchParams({ client_id: web.id, request_uri: requestUri });
      const page = await agent.get(`${deployment.issuer}/oauth2/authorize?${query}`);
      secrets.add('a code of a pushed request', new URL(page.url).searchParams.get('code') ?? requestUri);
    }
    await get(`/oauth2/authorize?client_id=demo-web&code=${code}&redirect_uri=http://x/${password}`);
    await get('/interaction/never-was', { cookie: `gatehouse_session=${code}` });
    await get(`/oauth2/logout?id_token_hint=${body.id_token}`);
    await get(`/oauth2/logout?id_token_hint=${body.access_token}`);
  }

  async function drivePages(): Promise<void> {
    const wrong = secrets.add('a wrong password', 'wrong-on-the-page-1');
    const visitor = createUserAgent(deployment);
    const page = await visitor.get(web.authorizationUrl());
    await visitor.submit(page, { email: demo.email, password: wrong });
    await visitor.submit(page, { email: wrong, password: demo.password, csrf: wrong });
    for (const one of [visitor, agent]) {
      for (const [name, value] of one.cookies) if (value.length >= 8) secrets.add(`cookie ${name}`, value);
    }
  }

  async function driveRecovery(): Promise<void> {
    const email = 'logged@example.com';
    const chosen = secrets.add('a recovered password', 'chosen-after-a-mail-7');
    const visitor = createUserAgent(deployment);
    const signInPage = await visitor.get(web.authorizationUrl());
    const sent = await visitor.submit(await visitor.get(forgotLink(signInPage) ?? ''), { email });
    secrets.add('a flow', hiddenField(sent, 'flow'));
    const { url, code } = await recoveryMail(mails, email);
    const token = secrets.add('the token of a mail', new URL(url).searchParams.get('token'));
    secrets.add('the code of a mail', code);
    secrets.add('the code of a mail, without the dash', code.replace('-', ''));
    await visitor.submit(sent, { code: secrets.add('a wrong code', 'BCDF-BCDF') });
    await visitor.submit(sent, { code });
    const form = await visitor.get(url);
    await visitor.submit(form, { newPassword: 'short' });
    await post('/auth/recover/password', { token, newPassword: 'short' });
    await post('/auth/recover/password', { token, code, newPassword: chosen });
    await visitor.submit(form, { newPassword: chosen });
    await visitor.submit(form, { newPassword: chosen });
    await visitor.get(url);
    await get(`/auth/recover?token=${token}`);
    await get(`/recover/${token}`);
  }

  test('contains no secret of any flow, successful or not', async () => {
    await driveJsonApi();
    await driveProtocol();
    await drivePages();
    await driveRecovery();
    const log = deployment.programs[0]?.output() ?? '';
    expect(log.split('\n').filter((line) => line.includes('"msg":"request"')).length).toBeGreaterThan(50);
    expect(log).toContain('refused');
    expect(secrets.foundIn(log)).toEqual([]);
    const [metrics = ''] = await metricsOf(deployment);
    expect(secrets.foundIn(metrics)).toEqual([]);
  }, 60_000);

  test('the search finds secrets', () => {
    const log = deployment.programs[0]?.output() ?? '';
    const { length } = secrets.foundIn(`${log} ${demo.password} ${pkce.verifier.slice(0, 40)}`);
    expect(length).toBe(2);
  });
});
