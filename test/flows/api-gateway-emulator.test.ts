import { execFile } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { parseKeySet, serializeKeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet } from '../../provider/keys/rotation.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { type EchoService, type SeenRequest, startEchoService } from '../support/echo-service.ts';
import { createGateway } from '../support/gateway-verifier.ts';
import { apiLogin } from '../support/json-api.ts';
import { blocksOf } from '../support/page-blocks.ts';
import { pythonWith } from '../support/python.ts';
import { type Ministack, startMinistack } from '../support/servers/ministack.ts';
import { bearer, createTestClient, decodeJwt, demoApps, tokensOf } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';

// The first run installs the emulator, and the program starts several times.
jest.setTimeout(240_000);

const day = 86_400_000;
const read = ['contracts:read'];
const identityHeaders = {
  'x-caller-subject': 'sub',
  'x-caller-client': 'client_id',
  'x-caller-scope': 'scope',
};

let folder: string;
let deployment: Deployment;
let service: EchoService;
let ministack: Ministack;
let api: Api;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-emulator-'));
  const [first, next] = [await generateKey(), await generateKey()];
  const now = systemClock.now();
  // The next key is published from the beginning, and signs when the test says so.
  const keys = [...firstKeySet(first, now).keys, { ...next, publishedAt: now, signsFrom: now + day }];
  await saveKeys(keys);
  const env = { GATEHOUSE_KEYS: `file:${keysFile()}`, GATEHOUSE_KEYS_POLL_SECONDS: '1' };
  ministack = await startMinistack();
  service = await startEchoService();
  deployment = await startServers({ processes: 1, env });
  api = await createApi();
}, 240_000);
afterAll(async () => {
  await ministack?.stop();
  await service?.close();
  await deployment?.stop();
  await rm(folder, { recursive: true, force: true });
});

const keysFile = () => join(folder, 'keys.json');
const storedKeys = async () => parseKeySet(await readFile(keysFile(), 'utf8')).keys;
async function saveKeys(keys: Awaited<ReturnType<typeof storedKeys>>): Promise<void> {
  await writeFile(`${keysFile()}.new`, serializeKeySet({ keys }), { mode: 0o600 });
  await rename(`${keysFile()}.new`, keysFile());
}

/** The public address of the API. It is what apps call. */
interface Api {
  url: string;
  call(path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; body: unknown }>;
}

/** Creates an HTTP API as `docs/api-gateway.md` describes it. */
async function createApi(): Promise<Api> {
  const { apiId } = await ministack.post('/v2/apis', { name: 'shop', protocolType: 'HTTP' });
  const at = `/v2/apis/${apiId}`;
  const { authorizerId } = await ministack.post(`${at}/authorizers`, {
    name: 'gatehouse',
    authorizerType: 'JWT',
    identitySource: ['$request.header.Authorization'],
    jwtConfiguration: { issuer: deployment.issuer, audience: [deployment.audience] },
  });
  const jwt = { authorizationType: 'JWT', authorizerId, authorizationScopes: read };
  const proxy = async (address: string, requestParameters: object = {}) => {
    const integration = { integrationType: 'HTTP_PROXY', integrationMethod: 'ANY', requestParameters };
    const { integrationId } = await ministack.post(`${at}/integrations`, {
      ...integration,
      integrationUri: address,
    });
    return `integrations/${integrationId}`;
  };
  const route = (routeKey: string, target: string, authorization: object = {}) =>
    ministack.post(`${at}/routes`, { routeKey, target, ...authorization });

  const gatehouse = await proxy(deployment.origins[0] ?? '');
  for (const open of [
    'POST /auth/login',
    'POST /auth/refresh',
    'ANY /.well-known/{proxy+}',
    'ANY /oauth2/{proxy+}',
  ])
    await route(open, gatehouse);
  await route('GET /user/profile', gatehouse, jwt);

  const mapping = (name: (header: string) => string, value: (claim: string) => string) =>
    Object.fromEntries(
      Object.entries(identityHeaders).map(([header, claim]) => [name(header), value(claim)]),
    );
  const orders = `http://${service.address}`;
  const overwrite = mapping(
    (header) => `overwrite:header.${header}`,
    (claim) => `$context.authorizer.claims.${claim}`,
  );
  await route('GET /orders', await proxy(orders, overwrite), jwt);
  const remove = mapping(
    (header) => `remove:header.${header}`,
    () => "''",
  );
  await route('GET /catalogue', await proxy(orders, remove));

  const { integrationId } = await ministack.post(`${at}/integrations`, {
    integrationType: 'AWS_PROXY',
    integrationUri: await exampleFunction(),
    payloadFormatVersion: '2.0',
  });
  await route('GET /whoami', `integrations/${integrationId}`, jwt);
  await ministack.post(`${at}/stages`, { stageName: '$default', autoDeploy: true });
  const url = ministack.apiUrl(apiId ?? '');
  const call: Api['call'] = async (path, init) => {
    const answer = await fetch(`${url}${path}`, init);
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
  return { url, call };
}

/** The code of the documentation as a Lambda function, which answers with the caller and with the claims it got. */
async function exampleFunction(): Promise<string> {
  const page = await readFile('docs/api-gateway.md', 'utf8');
  const code = blocksOf(page).find(({ language }) => language === 'js')?.text ?? '';
  const handler = `export const handler = async (event) => ({
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ caller: callerOf(event), claims: event.requestContext.authorizer.jwt.claims }),
  });`;
  const script =
    'import base64,io,sys,zipfile\nb=io.BytesIO()\nz=zipfile.ZipFile(b,"w")\nz.writestr("index.mjs",sys.argv[1])\nz.close()\nprint(base64.b64encode(b.getvalue()).decode())';
  const python = await pythonWith(['ministack==1.5.33', 'cryptography==50.0.2']);
  const { stdout } = await promisify(execFile)(python, ['-c', script, `${code}\n${handler}`]);
  const { FunctionArn } = await ministack.post('/2015-03-31/functions', {
    FunctionName: 'whoami',
    Runtime: 'nodejs20.x',
    Role: 'arn:aws:iam::000000000000:role/whoami',
    Handler: 'index.handler',
    Code: { ZipFile: stdout.trim() },
  });
  return FunctionArn ?? '';
}

const asJson = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const withToken = (token: unknown): RequestInit => ({ headers: bearer(String(token)) });
const statusWith = async (token: unknown, path = '/orders') =>
  (await api.call(path, withToken(token))).status;
/** The same token with another first character of its signature. */
function spoiled(token: string): string {
  const [header, claims, signature = ''] = token.split('.');
  return `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
}

/** The login of the demo account, through the gateway. */
async function login(): Promise<{ accessToken: string; refreshToken: string }> {
  const { accessToken, refreshToken } = await apiLogin({
    issuer: api.url,
    fetch: (url, init) => fetch(url, init),
  });
  return { accessToken, refreshToken };
}

describe('an HTTP API of API Gateway (ministack) in front of Gatehouse and a service', () => {
  test('login, call, 401 without and with a spoiled token, refresh, call, rotation of keys, call', async () => {
    const first = await login();
    expect(await statusWith(first.accessToken)).toBe(200);
    expect(await api.call('/user/profile', withToken(first.accessToken))).toMatchObject({
      status: 200,
      body: { email: 'john@example.com' },
    });

    const before = service.count();
    for (const path of ['/orders', '/user/profile', '/whoami']) {
      expect([path, (await api.call(path)).status]).toEqual([path, 401]);
      expect([path, await statusWith(spoiled(first.accessToken), path)]).toEqual([path, 401]);
    }
    expect(service.count()).toBe(before);

    const { status, body } = await api.call('/auth/refresh', asJson({ refreshToken: first.refreshToken }));
    expect(status).toBe(200);
    const refreshed = body as Record<string, unknown>;
    expect(refreshed.accessToken).not.toBe(first.accessToken);
    expect(await statusWith(refreshed.accessToken)).toBe(200);

    const keys = await storedKeys();
    const [old, next] = keys;
    if (!old || !next) throw new Error('there are not two keys');
    const now = systemClock.now();
    await saveKeys([
      { ...old, retiredAt: now },
      { ...next, signsFrom: now },
    ]);
    const rotated = await tokenSignedBy(next.kid);
    expect(await statusWith(rotated)).toBe(200);
    expect(await statusWith(refreshed.accessToken)).toBe(200);

    // Without a lead time, the gateway has not seen the key: it keeps keys for two hours and does not look again.
    const hasty = { ...(await generateKey()), publishedAt: now, signsFrom: now + 1 };
    await saveKeys([{ ...old, retiredAt: now }, { ...next, signsFrom: now, retiredAt: now + 1 }, hasty]);
    expect(await statusWith(await tokenSignedBy(hasty.kid))).toBe(401);
    await saveKeys([
      { ...old, retiredAt: now },
      { ...next, signsFrom: now },
    ]);
    await tokenSignedBy(next.kid);
  });

  /** Signs in again until the running process signs with this key. It was not restarted. */
  async function tokenSignedBy(kid: string): Promise<string | undefined> {
    return waitFor(
      async () => {
        const { access_token: token } = tokensOf(
          await createTestClient(deployment, demoApps.service).clientCredentials(),
        );
        return decodeJwt(token).header.kid === kid ? token : undefined;
      },
      { timeoutMs: 60_000, intervalMs: 300, what: `a token signed by ${kid}` },
    );
  }

  test('an id token, a token without the scope of the route, and a refresh token are refused', async () => {
    const app = createTestClient(deployment, demoApps.firstParty);
    const tokens = tokensOf(await app.passwordGrant({ scope: 'openid contracts:read' }));
    expect(await statusWith(tokens.access_token)).toBe(200);
    expect(await statusWith(tokens.id_token)).toBe(401);
    expect(await statusWith(tokens.refresh_token)).toBe(401);
    const narrow = tokensOf(await app.passwordGrant({ scope: 'openid contracts:write' }));
    expect(await statusWith(narrow.access_token)).toBe(403);
  });

  const identityOf = ({ headers }: SeenRequest) =>
    Object.fromEntries(headers.filter(([name]) => name.startsWith('x-caller-')));
  const forged = Object.fromEntries(
    Object.keys(identityHeaders).flatMap((name) => [
      [name, 'forged'],
      [name.toUpperCase(), 'forged'],
    ]),
  );

  test('identity headers of the caller are overwritten on a protected route and removed on an open one', async () => {
    const { accessToken } = await login();
    const { sub, scope } = decodeJwt(accessToken).claims;
    const ask = async (path: string, token?: string) => {
      const headers = { ...(token === undefined ? {} : bearer(token)), ...forged };
      return identityOf((await api.call(path, { headers })).body as SeenRequest);
    };
    const expected = {
      'x-caller-subject': sub,
      'x-caller-client': 'demo-first-party',
      'x-caller-scope': scope,
    };
    expect(await ask('/orders', accessToken)).toEqual(expected);
    expect(await ask('/catalogue')).toEqual({});
    expect(await ask('/catalogue', accessToken)).toEqual({});
  });

  test('every claim that an identity header comes from is in the tokens of people and of services', async () => {
    const person = decodeJwt((await login()).accessToken).claims;
    const machine = decodeJwt(
      tokensOf(await createTestClient(deployment, demoApps.service).clientCredentials()).access_token,
    ).claims;
    for (const claims of [person, machine])
      for (const claim of Object.values(identityHeaders))
        expect(claims[claim]).toEqual(expect.stringMatching(/./));
    expect(machine.roles).toBeUndefined();
  });

  test('a Lambda function gets claims as text, and the code of the documentation reads them', async () => {
    const { accessToken } = await login();
    const { sub, exp, scope } = decodeJwt(accessToken).claims;
    const { body } = await api.call('/whoami', withToken(accessToken));
    expect(body).toMatchObject({
      claims: {
        sub,
        exp: String(exp),
        email_verified: 'true',
        roles: '[CLIENT]',
        permissions: '[contracts:read]',
      },
      caller: {
        subject: sub,
        client: 'demo-first-party',
        scopes: String(scope).split(' '),
        roles: ['CLIENT'],
        permissions: ['contracts:read'],
        email: 'john@example.com',
        emailVerified: true,
      },
    });
    const machine = tokensOf(await createTestClient(deployment, demoApps.service).clientCredentials());
    expect((await api.call('/whoami', withToken(machine.access_token))).body).toMatchObject({
      caller: { subject: 'demo-service', roles: [], permissions: [], emailVerified: false },
    });
  });
});

/** For these, only the strict verifier (`../support/gateway-verifier.ts`) is as strict as API Gateway. */
describe('what this emulator does not check', () => {
  const strict = async () => {
    const { issuer, audience, fetch } = deployment;
    return createGateway({ issuer, audiences: [audience], clock: systemClock, fetch });
  };

  /** A token that is signed with RS256 by the key of Gatehouse. Its header may say something else. */
  async function forge(header: object, claims: object): Promise<string> {
    const { accessToken } = await login();
    const { header: realHeader, claims: realClaims } = decodeJwt(accessToken);
    const key = (await storedKeys()).find(({ kid }) => kid === realHeader.kid);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ ...realHeader, ...header })}.${part({ ...realClaims, ...claims })}`;
    const privateKey = createPrivateKey({ key: { ...key?.privateJwk }, format: 'jwk' });
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url')}`;
  }

  test.each([
    ['the algorithm in the header', { alg: 'ES256' }, {}, 401],
    ['whether there is an exp', {}, { exp: undefined }, 401],
    ['whether there is an iat', {}, { iat: undefined }, 401],
  ])('%s', async (_what, header, claims, status) => {
    const token = await forge(header, claims);
    expect(await statusWith(token)).toBe(200);
    expect(await (await strict()).check({ authorization: `Bearer ${token}`, scopes: read })).toMatchObject({
      status,
    });
  });

  test('the size of the headers', async () => {
    const { accessToken } = await login();
    const headers = { ...bearer(accessToken), cookie: 'x'.repeat(10_240) };
    expect((await api.call('/orders', { headers })).status).toBe(200);
    const { authorization, ...others } = headers;
    expect(await (await strict()).check({ authorization, headers: others, scopes: read })).toMatchObject({
      status: 431,
    });
  });

  test('the issuer when the authorizer is created: neither https nor its discovery', async () => {
    const { apiId } = await ministack.post('/v2/apis', { name: 'other', protocolType: 'HTTP' });
    const issuer = 'http://gatehouse.invalid';
    const { authorizerId } = await ministack.post(`/v2/apis/${apiId}/authorizers`, {
      name: 'nowhere',
      authorizerType: 'JWT',
      identitySource: ['$request.header.Authorization'],
      jwtConfiguration: { issuer, audience: [deployment.audience] },
    });
    expect(authorizerId).toEqual(expect.any(String));
    const { audience, fetch } = deployment;
    const strictly = createGateway({ issuer, audiences: [audience], clock: systemClock, fetch });
    await expect(strictly).rejects.toThrow('is not an https URL');
  });

  test('and its 401 has no WWW-Authenticate, which the real one has', async () => {
    const { status, headers } = await api.call('/orders');
    expect([status, headers.get('www-authenticate')]).toEqual([401, null]);
  });
});
