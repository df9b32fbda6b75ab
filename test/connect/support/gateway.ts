import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../../support/deployment.ts';
import { type EchoService, type SeenRequest, startEchoService } from '../../support/echo-service.ts';
import { type CallOptions, httpCall } from '../../support/http-call.ts';
import { type ApiTokens, apiLogin, callJsonApi } from '../../support/json-api.ts';
import { bearer, createTestClient, decodeJwt, tokensOf } from '../../support/test-client.ts';
import { type ConnectWorld, startWorld } from './world.ts';

/** What the configuration of a gateway needs to know. */
export interface GatewayWorld extends ConnectWorld {
  /** The address of Gatehouse and of the service behind the gateway, as `127.0.0.1:…`. */
  gatehouse: string;
  service: string;
}

export interface GatewayUnderTest {
  /** The page `docs/connect/NAME.md`. */
  name: string;
  /** Writes the configuration of the page, and starts the gateway on `world.appPort`. */
  start(world: GatewayWorld): Promise<unknown>;
  /** What the gateway answers while Gatehouse is away. */
  statusWhileAway: number;
  /** The same for a wrong token, if the gateway checks signatures itself. */
  statusOfWrongTokenWhileAway?: number;
  /** The type of the body of a refusal by Gatehouse. The default is that of a problem document (RFC 9457). */
  refusalType?: string;
  /** What the gateway answers if a header has a name such as `X_Auth_Subject`. The default is 200, without the header. */
  statusOfAliases?: number;
}

const identityHeaders = [
  'subject',
  'client',
  'audience',
  'scope',
  'email',
  'email-verified',
  'roles',
  'permissions',
  'revocation',
];

/** The names of the identity headers as CGI, WSGI and PHP understand them too. */
const aliases = ['X_Auth_Subject', 'X.Auth.Subject', 'X-Auth_Subject', 'X-Auth.Roles'];

/** A second service, whose tokens have another scope of the API. */
const writer = { id: 'writer', name: 'Writer', scopes: ['contracts:write'] };

/** The tests that every gateway passes: it runs as its page says, in front of a service. */
export function testGateway({ name, start, statusOfAliases = 200, ...expected }: GatewayUnderTest) {
  const { statusWhileAway, statusOfWrongTokenWhileAway = statusWhileAway } = expected;
  const { refusalType = 'application/problem+json' } = expected;
  let world: ConnectWorld;
  let service: EchoService;
  beforeAll(async () => {
    service = await startEchoService();
    const clients = ([page]: ConnectWorld['page']['clients']) => [page, { ...page, ...writer }];
    world = await startWorld(name, { withoutBrowser: true, clients });
    const gatehouse = new URL(world.deployment.origins[0] ?? '').host;
    await start({ ...world, gatehouse, service: service.address });
  }, 300_000);
  afterAll(async () => {
    await world?.stop();
    await service?.close();
  });

  const call = (path: string, options: CallOptions = {}) => httpCall(world.addresses.app, path, options);
  const status = async (token: string) => (await call('/orders', { headers: bearer(token) })).status;
  const seenBy = async (path: string, options: CallOptions): Promise<SeenRequest> => {
    const answer = await call(path, options);
    if (answer.status !== 200) throw new Error(`refused: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as SeenRequest;
  };
  /** Everything that looks like an identity header, except empty ones. */
  const identityOf = ({ headers }: SeenRequest) =>
    Object.fromEntries(headers.filter(([name, value]) => /^x[^a-z]auth[^a-z]/.test(name) && value !== ''));
  const serviceToken = async (id = String(world.page.clients[0]?.id)) => {
    const secret = Object.values(world.page.secrets)[0] ?? '';
    return tokensOf(await createTestClient(world.deployment, { id, secret }).clientCredentials())
      .access_token;
  };

  test('passes on a request with a live token unchanged, with the identity in headers', async () => {
    const { accessToken } = await apiLogin(world.deployment);
    const { claims } = decodeJwt(accessToken);
    const request = {
      method: 'PUT',
      body: '{"a":1}',
      headers: { ...bearer(accessToken), 'x-other': 'kept' },
    };
    const seen = await seenBy('/orders/a%20b?x=1&scope=y', request);
    expect(seen).toMatchObject({ method: 'PUT', url: '/orders/a%20b?x=1&scope=y', body: '{"a":1}' });
    expect(seen.headers).toContainEqual(['x-other', 'kept']);
    expect(seen.headers).toContainEqual(['authorization', `Bearer ${accessToken}`]);
    expect(identityOf(seen)).toEqual({
      'x-auth-subject': claims.sub,
      'x-auth-client': 'demo-first-party',
      'x-auth-audience': world.addresses.api,
      'x-auth-scope': claims.scope,
      'x-auth-email': demo.email,
      'x-auth-email-verified': 'true',
      'x-auth-roles': 'CLIENT',
      'x-auth-permissions': 'contracts:read',
      'x-auth-revocation': 'checked',
    });
  });

  test('replaces or removes the identity headers of the caller', async () => {
    const forged = Object.fromEntries(identityHeaders.map((header) => [`x-auth-${header}`, ['one', 'two']]));
    const headers = { ...bearer(await serviceToken()), ...forged };
    expect(identityOf(await seenBy('/orders', { headers }))).toEqual({
      'x-auth-subject': 'nightly-report',
      'x-auth-client': 'nightly-report',
      'x-auth-audience': world.addresses.api,
      'x-auth-scope': 'contracts:read',
      'x-auth-revocation': 'checked',
    });
  });

  test.each(aliases)('does not pass on %s, which some services read as X-Auth-…', async (alias) => {
    const answer = await call('/orders', { headers: { ...bearer(await serviceToken()), [alias]: 'forged' } });
    const isRefused = alias.includes('_') && statusOfAliases !== 200;
    expect(answer.status).toBe(isRefused ? statusOfAliases : 200);
    expect(answer.body).not.toContain('forged');
  });

  test('refuses a request without a token, or with a wrong one, and gives the reason', async () => {
    const before = service.count();
    const refusals: unknown[] = [];
    for (const headers of [{}, bearer('nonsense'), bearer(await serviceToken('writer'))]) {
      const answer = await call('/orders', { headers });
      refusals.push([answer.status, answer.headers['www-authenticate']]);
    }
    expect(refusals).toEqual([
      [401, expect.stringMatching(/^Bearer/)],
      [401, expect.stringMatching(/^Bearer .*error="invalid_token"/)],
      [403, expect.stringMatching(/^Bearer error="insufficient_scope".* scope="contracts:read"$/)],
    ]);
    const { headers } = await call('/orders', { headers: bearer(await serviceToken('writer')) });
    expect(headers['content-type']).toBe(refusalType);
    expect(service.count()).toBe(before);
  });

  test('takes the token of a refresh, and refuses every token at once after the sign-out', async () => {
    const first = await apiLogin(world.deployment);
    const refresh = { refreshToken: first.refreshToken };
    const { body } = await callJsonApi(world.deployment, '/auth/refresh', refresh);
    const second = body as unknown as ApiTokens;
    expect([await status(first.accessToken), await status(second.accessToken)]).toEqual([200, 200]);
    await callJsonApi(world.deployment, '/auth/logout', { refreshToken: second.refreshToken });
    expect([await status(first.accessToken), await status(second.accessToken)]).toEqual([401, 401]);
  });

  test('a route can require a recent sign-in, and the refusal says so (RFC 9470)', async () => {
    const at = (path: string, token: string) => call(path, { headers: bearer(token) });
    const { accessToken } = await apiLogin(world.deployment);
    expect((await at('/payments/1', accessToken)).status).toBe(200);
    // A service has not signed in at any time.
    const machine = await serviceToken();
    const refusal = await at('/payments/1', machine);
    expect([refusal.status, refusal.headers['www-authenticate']]).toEqual([
      401,
      expect.stringMatching(/^Bearer error="insufficient_user_authentication".* max_age="300"$/),
    ]);
    expect((await at('/orders', machine)).status).toBe(200);
    expect(
      identityOf(await seenBy('/payments/1', { headers: { ...bearer(accessToken), 'x-auth-roles': 'x' } })),
    ).toMatchObject({ 'x-auth-roles': 'CLIENT', 'x-auth-client': 'demo-first-party' });
  });

  test('no request can change what its token must have', async () => {
    const headers = bearer(await serviceToken('writer'));
    for (const target of [
      '/?scope=contracts:write',
      '/;scope=contracts:write',
      '/orders;audience=x/..;scope=contracts:write',
      '/../auth/verify?scope=contracts:write',
    ]) {
      const { status } = await call(target, { headers });
      expect([target, status >= 400 && status < 500]).toEqual([target, true]);
    }
  });

  test('while Gatehouse is away, every request is refused', async () => {
    const { accessToken } = await apiLogin(world.deployment);
    expect(await status(accessToken)).toBe(200);
    const [program] = world.deployment.programs;
    program?.kill('SIGKILL');
    await program?.ended;
    const before = service.count();
    expect(await status(accessToken)).toBe(statusWhileAway);
    expect(await status('nonsense')).toBe(statusOfWrongTokenWhileAway);
    expect(service.count()).toBe(before);
  });
}

/** The text with each of these parts replaced. Throws if a part is missing, because the text has changed then. */
export function withReplaced(text: string, parts: [from: string, to: string][]): string {
  return parts.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the configuration lacks ${from}`);
    return result.replaceAll(from, to);
  }, text);
}
