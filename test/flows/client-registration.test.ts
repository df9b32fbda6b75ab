import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, deployments, type FleetDeployment, startServers } from '../support/deployment.ts';
import { runProgram } from '../support/program.ts';
import { bearer, createTestClient, decodeJwt, type JsonAnswer, jsonAnswer } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';

const redirectUri = 'http://localhost:8080/agent/callback';
const scopes = 'openid profile email offline_access contracts:read';

const metadata = {
  client_name: 'Helpful Agent',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

type Deployed = Pick<Deployment, 'fetch' | 'issuer'>;

async function send(
  { fetch, issuer }: Deployed,
  method: string,
  path: string,
  { body, token }: { body?: unknown; token?: string | undefined } = {},
): Promise<JsonAnswer> {
  const headers = {
    ...(token === undefined ? {} : bearer(token)),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return jsonAnswer(await fetch(`${issuer}/oauth2/register${path}`, { method, headers, ...sent }));
}

const register = (deployment: Deployed, changes: Record<string, unknown> = {}, token?: string) =>
  send(deployment, 'POST', '', { body: { ...metadata, ...changes }, token });

interface Registered {
  client_id: string;
  client_secret?: string;
  registration_access_token: string;
  registration_client_uri: string;
}

async function registered(deployment: Deployed, changes?: Record<string, unknown>): Promise<Registered> {
  const { status, body } = await register(deployment, changes);
  if (status !== 201) throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
  return body as unknown as Registered;
}

const appOf = (deployment: Deployment, { client_id: id, client_secret: secret }: Registered) =>
  createTestClient(deployment, { id, redirectUri, ...(secret === undefined ? {} : { secret }) });

/** More registrations than the limits let one address send. */
const limits = { GATEHOUSE_LIMITS_PERCENT: '1000' };

describe.each(deployments)('registration that is open, on $name', ({ start }) => {
  let deployment: FleetDeployment;
  beforeAll(async () => {
    const env = { GATEHOUSE_REGISTRATION: 'open', GATEHOUSE_SELF_REGISTERED_SCOPES: scopes, ...limits };
    deployment = await start({ env });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('a public app registers, and signs a person in at every process at once', async () => {
    const answer = await register(deployment);
    expect(answer).toMatchObject({
      status: 201,
      body: {
        client_id: expect.stringMatching(/^registered_[\w-]{22}$/),
        client_id_issued_at: expect.any(Number),
        ...metadata,
        scope: scopes,
        application_type: 'native',
        registration_access_token: expect.stringMatching(/^[\w-]{43}$/),
      },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.body).not.toHaveProperty('client_secret');
    const app = appOf(deployment, answer.body as unknown as Registered);
    const tokens = await app.signIn(createUserAgent(deployment), { scope: scopes });
    expect(decodeJwt(tokens.access_token).claims).toMatchObject({ client_id: app.id });
    for (const origin of deployment.origins)
      for (const path of ['/oauth2/userinfo', '/auth/verify'])
        expect((await fetch(origin + path, { headers: bearer(tokens.access_token) })).status).toBe(200);
    expect((await app.refresh(tokens.refresh_token)).status).toBe(200);
  }, 60_000);

  test('a confidential app gets a secret of 256 bits, once; only its digest is stored', async () => {
    const app = await registered(deployment, { token_endpoint_auth_method: undefined });
    expect(app.client_secret).toMatch(/^[\w-]{43}$/);
    const client = appOf(deployment, app);
    const code = await client.code(createUserAgent(deployment));
    const wrong = createTestClient(deployment, { id: app.client_id, redirectUri, secret: 'x'.repeat(43) });
    expect((await wrong.redeem(code)).body).toMatchObject({ error: 'invalid_client' });
    expect((await client.redeem(code)).status).toBe(200);
    const token = app.registration_access_token;
    const read = await send(deployment, 'GET', `/${app.client_id}`, { token });
    expect(read.status).toBe(200);
    expect(read.body).not.toHaveProperty('client_secret');
  });

  test('the consent page says that the name was not checked, and shows no home page', async () => {
    const app = await registered(deployment, {
      client_name: 'Your Bank',
      client_uri: 'https://bank.example.com/',
    });
    const browser = createUserAgent(deployment);
    const page = await browser.get(appOf(deployment, app).authorizationUrl());
    const consent = await browser.submit(page, {
      email: 'john@example.com',
      password: 'correct-horse-battery',
    });
    expect(consent.html).toContain('registered itself here, and nobody has checked its name');
    expect(consent.html).not.toContain('bank.example.com');
  });

  test('a registration is read, replaced and deleted with its token, and with no other (RFC 7592)', async () => {
    const app = await registered(deployment);
    const other = await registered(deployment);
    const path = `/${app.client_id}`;
    const { registration_access_token: token } = app;
    expect(app.registration_client_uri).toBe(`${deployment.issuer}/oauth2/register${path}`);
    for (const wrong of [undefined, 'made-up', other.registration_access_token])
      for (const [method, body] of [
        ['GET'],
        ['DELETE'],
        ['PUT', { ...metadata, client_id: app.client_id }],
      ] as const) {
        const refused = await send(deployment, method, path, { body, token: wrong });
        expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
        expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
    const moved = 'http://localhost:8080/agent/moved';
    const body = { ...metadata, client_id: app.client_id, client_name: 'Moved', redirect_uris: [moved] };
    const replaced = await send(deployment, 'PUT', path, { body, token });
    expect(replaced).toMatchObject({ status: 200, body: { client_name: 'Moved', redirect_uris: [moved] } });
    expect((await send(deployment, 'GET', path, { token })).body).toEqual(replaced.body);
    for (const extra of [
      { client_id: other.client_id },
      { client_secret: 'x' },
      { registration_access_token: token },
    ]) {
      const refused = await send(deployment, 'PUT', path, { body: { ...body, ...extra }, token });
      expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    }
  });

  test('a deleted app loses its tokens at every process, and cannot begin again', async () => {
    const app = await registered(deployment);
    const client = appOf(deployment, app);
    const tokens = await client.signIn(createUserAgent(deployment), { scope: scopes });
    const { registration_access_token: token } = app;
    const deleted = await send(deployment, 'DELETE', `/${app.client_id}`, { token });
    expect(deleted.status).toBe(204);
    for (const origin of deployment.origins)
      for (const path of ['/oauth2/userinfo', '/auth/verify'])
        expect((await fetch(origin + path, { headers: bearer(tokens.access_token) })).status).toBe(401);
    for (const _ of deployment.origins)
      expect((await client.refresh(tokens.refresh_token)).status).toBeGreaterThanOrEqual(400);
    expect((await send(deployment, 'GET', `/${app.client_id}`, { token })).status).toBe(401);
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    [
      'no redirect URI',
      { redirect_uris: undefined },
      'invalid_redirect_uri',
      'redirect_uris authorization_code needs',
    ],
    [
      'a wildcard',
      { redirect_uris: ['https://*.example.com/'] },
      'invalid_redirect_uri',
      'redirect_uris/0 must not contain a wildcard',
    ],
    [
      'a fragment',
      { redirect_uris: ['https://a.example.com/#x'] },
      'invalid_redirect_uri',
      'redirect_uris/0 must not contain a fragment',
    ],
    [
      'plain http',
      { redirect_uris: ['http://a.example.com/'] },
      'invalid_redirect_uri',
      'redirect_uris/0 must use https',
    ],
    [
      'a text for a list',
      { redirect_uris: 'https://a.example.com/' },
      'invalid_redirect_uri',
      'redirect_uris must be a list',
    ],
    [
      'the password grant',
      { grant_types: ['password'] },
      'invalid_client_metadata',
      'grant_types has a grant that',
    ],
    [
      'client_credentials',
      { grant_types: ['client_credentials'] },
      'invalid_client_metadata',
      'grant_types has a grant that',
    ],
    [
      'the implicit flow',
      { response_types: ['token'] },
      'invalid_client_metadata',
      'response_types must be ["code"]',
    ],
    [
      'an unknown method',
      { token_endpoint_auth_method: 'tls_client_auth' },
      'invalid_client_metadata',
      'token_endpoint_auth_method must be one of',
    ],
    [
      'encrypted id tokens',
      { id_token_encrypted_response_alg: 'RSA-OAEP' },
      'invalid_client_metadata',
      'id_token_encrypted_response_alg is not supported',
    ],
    [
      'pairwise subjects',
      { subject_type: 'pairwise' },
      'invalid_client_metadata',
      'subject_type must be public',
    ],
    [
      'no keys for its assertions',
      { token_endpoint_auth_method: 'private_key_jwt' },
      'invalid_client_metadata',
      'jwks "token_endpoint_auth_method" "private_key_jwt" needs "jwks" or "jwks_uri"',
    ],
    [
      'a sector document that is not public',
      { sector_identifier_uri: 'https://localhost/' },
      'invalid_client_metadata',
      'sector_identifier_uri can',
    ],
    [
      'a logout URI that is not https',
      { backchannel_logout_uri: 'http://10.0.0.1/' },
      'invalid_client_metadata',
      'backchannel_logout_uri must start with https://',
    ],
    ['a name that is too long', { client_name: 'x'.repeat(101) }, 'invalid_client_metadata', 'client_name'],
    [
      'more than 4 KB',
      { policy_uri: `https://a.example.com/${'x'.repeat(4096)}` },
      'invalid_client_metadata',
      'more than 4096 bytes',
    ],
  ])('metadata with %s are refused with the reason', async (_, changes, error, reason) => {
    const { status, body } = await register(deployment, changes);
    expect({ status, error: body.error }).toEqual({ status: 400, error });
    expect(body.error_description).toContain(reason);
  });

  test('the scopes are those that such apps may ask for, and fields that we do not know are ignored', async () => {
    const { status, body } = await register(deployment, {
      scope: 'openid contracts:read contracts:write',
      first_party: true,
      client_secret: 'chosen by the client',
      contacts: ['me@example.com'],
    });
    expect(status).toBe(201);
    expect(body.scope).toBe(scopes);
    for (const name of ['first_party', 'client_secret', 'contacts']) expect(body).not.toHaveProperty(name);
  });

  test('discovery names the endpoint, and a page of any origin may call it', async () => {
    const { issuer } = deployment;
    const found = await deployment.fetch(`${issuer}/.well-known/oauth-authorization-server`);
    expect(await found.json()).toMatchObject({ registration_endpoint: `${issuer}/oauth2/register` });
    const preflight = await deployment.fetch(`${issuer}/oauth2/register`, {
      method: 'OPTIONS',
      headers: { origin: 'https://inspector.example.com', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Content-Type');
  });
});

async function gatehouse({ env, folder }: Deployment, ...args: string[]) {
  const program = runProgram(args, { env, cwd: folder });
  return { code: await program.ended, stdout: program.stdout(), stderr: program.stderr() };
}

test('with initial access tokens, only apps with a token of the operator register; the operator lists and deletes them', async () => {
  const env = { GATEHOUSE_REGISTRATION: 'initial-access-token' };
  const deployment = await startServers({ processes: 2, env });
  try {
    for (const token of [undefined, 'made-up'])
      expect(await register(deployment, {}, token)).toMatchObject({
        status: 401,
        body: { error: 'invalid_token' },
      });
    const made = await gatehouse(deployment, 'clients', 'registration-token', '--expires', '2h');
    const token = made.stdout.trim();
    expect(token).toMatch(/^[\w-]{43}$/);
    const answer = await register(deployment, {}, token);
    expect(answer.status).toBe(201);
    const app = answer.body as unknown as Registered;
    const client = appOf(deployment, app);
    const tokens = await client.signIn(createUserAgent(deployment));

    const listed = await gatehouse(deployment, 'clients', 'registered');
    expect(listed.stdout).toContain(app.client_id);
    expect(listed.stdout).toContain('Helpful Agent');
    expect(listed.stdout).not.toContain(app.registration_access_token);
    const gone = await gatehouse(deployment, 'clients', 'delete-registered', app.client_id);
    expect(gone.code).toBe(0);
    for (const origin of deployment.origins)
      expect(
        (await fetch(`${origin}/oauth2/userinfo`, { headers: bearer(tokens.access_token) })).status,
      ).toBe(401);
    expect(await gatehouse(deployment, 'clients', 'delete-registered', app.client_id)).toMatchObject({
      code: 1,
    });
    expect((await gatehouse(deployment, 'clients', 'registration-token', '--expires', '1y')).code).toBe(64);
  } finally {
    await deployment.stop();
  }
}, 120_000);

test('with registration off, there is nothing', async () => {
  const deployment = await startServers({ processes: 1, redis: false });
  try {
    expect((await register(deployment)).status).toBe(404);
    expect((await send(deployment, 'GET', '/registered_x', { token: 'x' })).status).toBe(404);
    const found = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    expect(await found.json()).not.toHaveProperty('registration_endpoint');
  } finally {
    await deployment.stop();
  }
}, 120_000);

test('a flood of registrations is refused by address', async () => {
  const deployment = await startServers({ processes: 1, env: { GATEHOUSE_REGISTRATION: 'open' } });
  try {
    const answers = await Promise.all(Array.from({ length: 30 }, () => register(deployment)));
    const stored = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status === 429);
    expect(stored.length).toBeLessThanOrEqual(23);
    expect(stored.length + refused.length).toBe(30);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
  } finally {
    await deployment.stop();
  }
}, 120_000);
