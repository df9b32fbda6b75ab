import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Deployment, deployments } from '../support/deployment.ts';
import { type DocumentHosts, publicMetadata, startDocumentHosts } from '../support/document-host.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { bearer, createTestClient, decodeJwt } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';

const redirectUri = 'http://localhost:8080/agent/callback';
const scopes = 'openid profile email offline_access contracts:read';

let hosts: DocumentHosts;
beforeAll(async () => {
  hosts = await startDocumentHosts();
});
afterAll(() => hosts?.stop());

const settings = () => ({
  ...hosts.env,
  GATEHOUSE_CLIENT_ID_METADATA_HOSTS: 'apps.example.test',
  GATEHOUSE_SELF_REGISTERED_SCOPES: scopes,
});

const agentOf = (deployment: Deployment, id: string) => createTestClient(deployment, { id, redirectUri });

/** A path that no other test uses. */
const newPath = () => `/${randomUUID()}.json`;

/** The statuses of `path` with this token, at every process. */
async function statuses({ origins }: Deployment, path: string, token: string): Promise<number[]> {
  const all = origins.map(
    async (origin) => (await fetch(`${origin}${path}`, { headers: bearer(token) })).status,
  );
  return Promise.all(all);
}

describe.each(deployments)('a client id that is the URL of a metadata document, on $name', ({ start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start({ env: settings() });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('signs a person in; the document is fetched once for all processes', async () => {
    const path = newPath();
    const id = hosts.publish(path);
    const agent = agentOf(deployment, id);
    const scope = 'openid email contracts:read offline_access';
    const tokens = await agent.signIn(createUserAgent(deployment), { scope });
    const { claims } = decodeJwt(tokens.access_token);
    expect(claims).toMatchObject({ client_id: id, scope: expect.stringContaining('contracts:read') });
    expect(claims).not.toHaveProperty('roles');
    const all = deployment.origins.map(() => 200);
    expect(await statuses(deployment, '/oauth2/userinfo', tokens.access_token)).toEqual(all);
    expect(await statuses(deployment, '/auth/verify', tokens.access_token)).toEqual(all);

    let refreshToken = tokens.refresh_token;
    for (const _ of deployment.origins) {
      const { status, body } = await agent.refresh(refreshToken);
      expect(status).toBe(200);
      refreshToken = String(body.refresh_token);
    }
    expect(hosts.requests.filter((one) => one === path)).toHaveLength(1);
    await agent.post('revoke', { token: refreshToken });
    expect(await statuses(deployment, '/auth/verify', tokens.access_token)).toEqual(all.map(() => 401));
  }, 60_000);

  test('the consent page names the host, and shows no page or logo of another host', async () => {
    const id = hosts.publish(newPath(), {
      ...publicMetadata,
      client_name: 'Your Bank',
      client_uri: 'https://bank.example.com/',
      logo_uri: 'https://bank.example.com/logo.png',
    });
    const browser = createUserAgent(deployment);
    const page = await openAccount(deployment, browser, await newPerson(deployment));
    expect(page.status).toBe(200);
    const consent = await browser.get(agentOf(deployment, id).authorizationUrl());
    expect(consent.html).toContain('Your Bank');
    expect(consent.html).toContain('<bdi>apps.example.test</bdi>');
    expect(consent.html).not.toContain('bank.example.com');
  });

  test('the account page lists the app, and the person takes its access back', async () => {
    const id = hosts.publish(newPath());
    const browser = createUserAgent(deployment);
    const person = await newPerson(deployment);
    const agent = agentOf(deployment, id);
    const code = await agent.code(browser, { scope: 'openid email' }, person);
    const { access_token: token } = (await agent.redeem(code)).body as { access_token: string };
    const page = await openAccount(deployment, browser, person);
    expect(page.html).toMatch(/Helpful Agent|apps\.example\.test/);
    const action = /action="([^"]*withdraw)"/.exec(page.html)?.[1] ?? '';
    const csrf = new RegExp(`${action}"[\\s\\S]*?name="csrf" value="([^"]*)"`).exec(page.html)?.[1] ?? '';
    const form = `<form action="${action}"><input type="hidden" name="csrf" value="${csrf}"></form>`;
    const after = await browser.submit({ ...page, html: form }, { client: id });
    expect(after.status).toBe(200);
    expect(await statuses(deployment, '/oauth2/userinfo', token)).toEqual(deployment.origins.map(() => 401));
  });

  test('discovery says so', async () => {
    const answer = await deployment.fetch(`${deployment.issuer}/.well-known/oauth-authorization-server`);
    expect(await answer.json()).toMatchObject({
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
      authorization_response_iss_parameter_supported: true,
    });
  });

  test('authenticates with a key that its document has', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
    const auth = { token_endpoint_auth_method: 'private_key_jwt', jwks };
    const id = hosts.publish(newPath(), { ...publicMetadata, ...auth });
    const agent = agentOf(deployment, id);
    const code = await agent.code(createUserAgent(deployment));
    const assertion = await new SignJWT({ iss: id, sub: id, aud: deployment.issuer, jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuedAt(Math.floor(Date.now() / 1000))
      .setExpirationTime(Math.floor(Date.now() / 1000) + 60)
      .sign(privateKey);
    expect((await agent.redeem(code)).body).toMatchObject({ error: 'invalid_client' });
    const redeemed = await agent.redeem(code, {
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect(redeemed.status).toBe(200);
  });

  test('may send its id with an empty secret, as some libraries do', async () => {
    const id = hosts.publish(newPath());
    const agent = agentOf(deployment, id);
    const code = await agent.code(createUserAgent(deployment));
    const encoded = new URLSearchParams({ id }).toString().slice('id='.length);
    const authorization = `Basic ${Buffer.from(`${encoded}:`).toString('base64')}`;
    const { status } = await agent.redeem(code, { client_id: undefined }, { authorization });
    expect(status).toBe(200);
  });

  test('a web page of the app may call from its own origin (CORS)', async () => {
    const app = 'https://agent.example.com';
    const id = hosts.publish(newPath(), { ...publicMetadata, redirect_uris: [`${app}/callback`] });
    const ask = (origin: string) =>
      deployment.fetch(`${deployment.issuer}/oauth2/token`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ client_id: id, grant_type: 'authorization_code', code: 'x' }),
      });
    expect((await ask(app)).headers.get('access-control-allow-origin')).toBe(app);
    expect((await ask('https://other.example.com')).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('gets only scopes that the settings allow, and no other grant', async () => {
    const id = hosts.publish(newPath(), {
      ...publicMetadata,
      grant_types: ['authorization_code', 'password', 'client_credentials'],
      scope: 'openid contracts:read contracts:write',
    });
    const agent = agentOf(deployment, id);
    const { searchParams } = new URL(
      (await createUserAgent(deployment).get(agent.authorizationUrl({ scope: 'contracts:write' }))).url,
    );
    expect(searchParams.get('error')).toBe('invalid_scope');
    for (const answer of [await agent.passwordGrant(), await agent.clientCredentials()])
      expect(answer.body).toMatchObject({ error: 'unauthorized_client' });
  });
});
