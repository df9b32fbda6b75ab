import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { demoAccessModel } from '../../provider/bin/demo.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { type EchoService, type SeenRequest, startEchoService } from '../support/echo-service.ts';
import { createGateway, type Gateway } from '../support/gateway-verifier.ts';
import { type CallOptions, httpCall } from '../support/http-call.ts';
import { apiLogin } from '../support/json-api.ts';
import { runToEnd } from '../support/program.ts';
import { startNginx } from '../support/servers/nginx.ts';
import type { TestServer } from '../support/servers/server.ts';
import { openSignOut } from '../support/sign-in.ts';
import { bearer, createTestClient, decodeJwt, demoApps, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp } from './apps.ts';

// Some tests start the program, which takes long on a busy machine.
jest.setTimeout(120_000);

/** The demo model, in which the demo account may also change contracts. */
const allPermissions = (audience: string) => ({
  ...demoAccessModel(audience),
  roles: { CLIENT: ['contracts:read', 'contracts:write'] },
});

let deployment: Deployment;
let service: EchoService;
let nginx: TestServer;
let plainCheck: Gateway;
beforeAll(async () => {
  deployment = await startServers({ clients: [appDocument('web')], accessModel: allPermissions });
  service = await startEchoService();
  nginx = await startNginx(await exampleConfiguration(deployment, service));
  const { issuer, audience, fetch } = deployment;
  plainCheck = await createGateway({ issuer, audiences: [audience], clock: systemClock, fetch });
}, 120_000);
afterAll(async () => {
  await nginx?.stop();
  await service?.close();
  await deployment?.stop();
});

/** The example of the documentation with the addresses of the test. */
async function exampleConfiguration({ origins, audience }: Deployment, { address }: EchoService) {
  const example = await readFile(join(packageRoot, 'docs/gateways/nginx.conf'), 'utf8');
  const servers = origins.map((origin) => `server ${new URL(origin).host};`).join(' ');
  return (port: number) =>
    [
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ['server gatehouse.internal:3000;', servers],
      ['server orders.internal:8080;', `server ${address};`],
      ['https://api.example.com', audience],
    ].reduce((text, [from = '', to = '']) => {
      if (!text.includes(from)) throw new Error(`the example lacks ${from}`);
      return text.replaceAll(from, to);
    }, example);
}

const call = (path: string, options: CallOptions = {}) => httpCall(nginx.url, path, options);
const status = async (token: string, path = '/orders') =>
  (await call(path, { headers: bearer(token) })).status;
const seenBy = async (path: string, options: CallOptions): Promise<SeenRequest> => {
  const answer = await call(path, options);
  if (answer.status !== 200) throw new Error(`refused: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body) as SeenRequest;
};
const identityOf = ({ headers }: SeenRequest) =>
  Object.fromEntries(headers.filter(([name]) => /auth[-_]/.test(name)));
const machineToken = async () =>
  tokensOf(await createTestClient(deployment, demoApps.service).clientCredentials()).access_token;

describe('nginx with auth_request', () => {
  test("passes on a request with a live token unchanged, with the sender's identity in headers", async () => {
    const { accessToken } = await apiLogin(deployment);
    const { claims } = decodeJwt(accessToken);
    const request = {
      method: 'PUT',
      body: '{"a":1}',
      headers: { ...bearer(accessToken), 'x-other': 'kept' },
    };
    const seen = await seenBy('/orders/a%2Fb?x=1&scope=y', request);
    expect(seen).toMatchObject({ method: 'PUT', url: '/orders/a%2Fb?x=1&scope=y', body: '{"a":1}' });
    expect(seen.headers).toContainEqual(['x-other', 'kept']);
    expect(seen.headers).toContainEqual(['authorization', `Bearer ${accessToken}`]);
    expect(identityOf(seen)).toEqual({
      'x-auth-subject': claims.sub,
      'x-auth-client': 'demo-first-party',
      'x-auth-audience': deployment.audience,
      'x-auth-scope': claims.scope,
      'x-auth-email': demo.email,
      'x-auth-email-verified': 'true',
      'x-auth-roles': 'CLIENT',
      'x-auth-permissions': 'contracts:read contracts:write',
      'x-auth-revocation': 'checked',
    });
  });

  test('replaces identity headers of the caller', async () => {
    const forged = Object.fromEntries(
      [
        'subject',
        'client',
        'audience',
        'scope',
        'email',
        'email-verified',
        'roles',
        'permissions',
        'revocation',
      ]
        .flatMap((name) => [`x-auth-${name}`, `X_Auth_${name.replace('-', '_')}`])
        .map((name) => [name, 'forged']),
    );
    const token = await machineToken();
    const seen = await seenBy('/orders', { headers: { ...bearer(token), ...forged } });
    expect(identityOf(seen)).toEqual({
      'x-auth-subject': 'demo-service',
      'x-auth-client': 'demo-service',
      'x-auth-audience': deployment.audience,
      'x-auth-scope': 'contracts:read',
      'x-auth-revocation': 'checked',
    });
    const twice = { ...bearer(token), 'x-auth-subject': ['one', 'two'] };
    const [, ...more] = (await seenBy('/orders', { headers: twice })).headers.filter(
      ([name]) => name === 'x-auth-subject',
    );
    expect(more).toEqual([]);
  });

  test('of several tokens, passes on only the one it checked', async () => {
    const [live, dead] = [await machineToken(), await machineToken()];
    await createTestClient(deployment, demoApps.service).post('revoke', { token: dead });
    const both = (first: string, second: string) => ({
      headers: { authorization: [`Bearer ${first}`, `Bearer ${second}`] } as never,
    });
    expect((await call('/orders', both(dead, live))).status).not.toBe(200);
    const answer = await call('/orders', both(live, dead));
    const passedOn = answer.status === 200 ? (JSON.parse(answer.body) as SeenRequest).headers : [];
    expect(passedOn.filter(([, value]) => value.includes(dead))).toEqual([]);
  });

  test('refuses a token that is dead, for another API or without the scope, and gives the reason', async () => {
    const before = service.count();
    const { access_token: forUserinfo } = await createApp(deployment, 'web').signIn(
      createUserAgent(deployment),
      { scope: 'openid email' },
    );
    const challenges = await Promise.all(
      [
        await call('/orders'),
        await call('/orders', { headers: { authorization: 'Basic YTpi' } }),
        await call('/orders', { headers: bearer('nonsense') }),
        await call('/orders', { headers: bearer(forUserinfo) }),
        await call('/admin/orders', { headers: bearer(await machineToken()) }),
      ].map(({ status, headers }) => [status, headers['www-authenticate']]),
    );
    const wrong = (description: string) => `Bearer error="invalid_token", error_description="${description}"`;
    expect(challenges).toEqual([
      [401, 'Bearer'],
      [401, 'Bearer'],
      [401, wrong('The access token is missing, expired, revoked or not ours.')],
      [401, wrong('The access token is for another audience.')],
      [
        403,
        'Bearer error="insufficient_scope", error_description="The access token needs the scope contracts:read contracts:write.", scope="contracts:read contracts:write"',
      ],
    ]);
    expect(service.count()).toBe(before);
    expect(await status((await apiLogin(deployment)).accessToken, '/admin/orders')).toBe(200);
  });

  test('no request can change what its token must have', async () => {
    const token = await machineToken();
    const other = encodeURIComponent(deployment.issuer);
    for (const target of [
      '/admin/?scope=contracts:read',
      `/admin/?audience=${other}&scope=contracts:read`,
      '/admin/;scope=contracts:read',
      '/admin/..;scope=contracts:read/',
      '/x/../admin/',
      '/%61dmin/',
      '//admin//?scope=contracts:read',
    ])
      expect([target, await status(token, target)]).toEqual([target, 403]);
    for (const target of ['/_gatehouse/read', '/_gatehouse/write', '/_gatehouse/', '/x/../_gatehouse/read'])
      expect([target, await status(token, target)]).toEqual([target, 404]);
  });
});

describe('G3: a revoked token is refused at once, although its JWT is still valid', () => {
  const byWeb = async () => {
    const agent = createUserAgent(deployment);
    const tokens = await createApp(deployment, 'web').signIn(agent, { scope: allScopes });
    return { ...tokens, agent };
  };
  const newAccount = async () => {
    const email = `p${process.hrtime.bigint()}@example.com`;
    const { env, folder: cwd } = deployment;
    await runToEnd(['accounts', 'create', '--email', email, '--role', 'CLIENT'], {
      env,
      cwd,
      input: 'a-password-of-theirs',
    });
    const { accessToken } = await apiLogin(deployment, { email, password: 'a-password-of-theirs' });
    const command = (...args: string[]) => runToEnd(args, { env, cwd });
    return { email, token: accessToken, command };
  };
  type Ending = () => Promise<{ token: string; end(): Promise<unknown> }>;
  const endings: [name: string, begin: Ending][] = [
    [
      'the token was revoked by its app',
      async () => {
        const { access_token: token } = await byWeb();
        return { token, end: () => createApp(deployment, 'web').post('revoke', { token }) };
      },
    ],
    [
      'its refresh token was revoked',
      async () => {
        const { access_token: token, refresh_token } = await byWeb();
        return { token, end: () => createApp(deployment, 'web').post('revoke', { token: refresh_token }) };
      },
    ],
    [
      'the person signed out',
      async () => {
        const { access_token: token, id_token, agent } = await byWeb();
        const page = await openSignOut(deployment, agent, { id_token_hint: id_token ?? '' });
        return { token, end: () => agent.submit(page, { logout: 'yes' }) };
      },
    ],
    [
      'the account was signed out everywhere',
      async () => {
        const { email, token, command } = await newAccount();
        return { token, end: () => command('sessions', 'end', email, '--all') };
      },
    ],
    [
      'the account was disabled',
      async () => {
        const { email, token, command } = await newAccount();
        return { token, end: () => command('accounts', 'disable', email) };
      },
    ],
  ];

  test.each(endings)('when %s', async (_, begin) => {
    const { token, end } = await begin();
    expect(await status(token)).toBe(200);
    await end();
    // nginx asks both processes in turn. They read a command's change from Postgres a moment later.
    const everywhere = async () => [await status(token), await status(token)].every((code) => code === 401);
    await waitFor(everywhere, { timeoutMs: 1_000, what: 'a token that is refused everywhere' });
    expect(await everywhere()).toBe(true);
    const { authorization } = bearer(token);
    expect(await plainCheck.check({ authorization, scopes: ['contracts:read'] })).toMatchObject({
      status: 200,
    });
  });
});

test('while Gatehouse is down every request is refused', async () => {
  const alone = await startServers({ processes: 1, redis: false });
  const before = service.count();
  const door = await startNginx(await exampleConfiguration(alone, service));
  try {
    const { accessToken } = await apiLogin(alone);
    const ask = () => httpCall(door.url, '/orders', { headers: bearer(accessToken) });
    expect((await ask()).status).toBe(200);
    alone.programs[0]?.kill('SIGKILL');
    await alone.programs[0]?.ended;
    const { status, headers } = await ask();
    expect([status, headers['retry-after']]).toEqual([503, '2']);
    expect(service.count()).toBe(before + 1);
  } finally {
    await door.stop();
    await alone.stop();
  }
});
