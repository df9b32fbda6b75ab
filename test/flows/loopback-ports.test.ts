import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { createTestClient, demoApps, type TestClient } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { appDocument } from './apps.ts';

const exact = appDocument('exact', { auth: 'none', origins: ['http://localhost:8080'] });

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startServers({ clients: [exact] });
}, 120_000);
afterAll(() => deployment?.stop());

const at = (redirectUri: string): TestClient =>
  createTestClient(deployment, { ...demoApps.web, redirectUri });

describe('a web app in development, with anyLoopbackPort', () => {
  test.each([
    'http://localhost:49152/callback',
    'http://localhost/callback',
    'http://localhost:8080/callback',
  ])('signs in at %s, and the second time without a page', async (redirectUri) => {
    const agent = createUserAgent(deployment);
    const app = at(redirectUri);
    expect((await app.signIn(agent)).id_token).toBeDefined();
    const { url } = await agent.get(app.authorizationUrl({ prompt: 'none' }));
    expect(url).toMatch(/^http:\/\/localhost(:\d+)?\/callback\?code=/);
  });

  test('redeems a code only with the same port', async () => {
    const agent = createUserAgent(deployment);
    const app = at('http://localhost:49152/callback');
    const code = await app.code(agent, {}, demo);
    const { status, body } = await app.redeem(code, { redirect_uri: 'http://localhost:49153/callback' });
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test.each([
    'http://localhost:49152/other',
    'http://localhost:49152/callback?a=b',
    'http://127.0.0.1:49152/callback',
    'https://localhost:49152/callback',
    'http://user@localhost:49152/callback',
    'http://localhost:49152\\@evil.example/callback',
    'http://localhost.evil.example:49152/callback',
    'http://evil.example/callback',
  ])('gets no code at %s', async (redirectUri) => {
    const { status, html } = await createUserAgent(deployment).get(at(redirectUri).authorizationUrl());
    expect(status).toBe(400);
    expect(html).not.toContain('name="password"');
  });

  test('takes the person back to any port after the sign-out', async () => {
    const { issuer, fetch: call } = deployment;
    const leave = async (uri: string) =>
      (
        await call(
          `${issuer}/oauth2/logout?${new URLSearchParams({ client_id: 'demo-web', post_logout_redirect_uri: uri })}`,
          { redirect: 'manual' },
        )
      ).status;
    expect(await leave('http://localhost:49152/')).not.toBe(400);
    expect(await leave('http://localhost:49152/other')).toBe(400);
  });

  test('may be called by its page on any port, and another client only by its origin', async () => {
    const allowed = async (client: string, origin: string) => {
      const answer = await deployment.fetch(`${deployment.issuer}/oauth2/token`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ grant_type: 'refresh_token', client_id: client, refresh_token: 'x' }),
      });
      return answer.headers.get('access-control-allow-origin');
    };
    const other = 'http://localhost:49152';
    expect(await allowed('demo-spa', other)).toBe(other);
    expect(await allowed('exact', other)).toBeNull();
    expect(await allowed('exact', 'http://localhost:8080')).toBe('http://localhost:8080');
  });
});

test('a web app without it signs in only at the exact address', async () => {
  const agent = createUserAgent(deployment);
  const app = (port: number) =>
    createTestClient(deployment, { id: 'exact', redirectUri: `http://localhost:${port}/exact/callback` });
  expect((await agent.get(app(49152).authorizationUrl())).status).toBe(400);
  const page = await agent.get(app(8080).authorizationUrl());
  expect(await signInAndAgree(agent, page, demo)).toMatch(/^http:\/\/localhost:8080\/exact\/callback\?code=/);
});
