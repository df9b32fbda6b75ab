import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Ministack, startMinistack } from '../support/servers/ministack.ts';
import { bearer, createTestClient, decodeJwt } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { installedWithNpm, runInstaller } from './support/install.ts';
import { spoiled, tokenForTheIssuer, tokensOfPerson } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

let world: ConnectWorld;
let url: string;
beforeAll(async () => {
  const packages = await installedWithNpm('lambda-authorizer');
  world = await startWorld('lambda-authorizer', { packages, https: true, withoutBrowser: true });
  const ministack = await startMinistack();
  world.onStop(ministack.stop);
  url = await createApi(ministack);
}, 300_000);
afterAll(() => world?.stop());

/** An HTTP API with the page's authorizer in front of a function that shows what it gets. */
async function createApi(ministack: Ministack): Promise<string> {
  const { apiId = '' } = await ministack.post('/v2/apis', { name: 'shop', protocolType: 'HTTP' });
  const authorizerCode = await bundledAuthorizer();
  const authorizerFunction = await createFunction(ministack, 'authorizer', authorizerCode);
  const settings = Object.entries(JSON.parse(world.page.block('json')) as Record<string, unknown>);
  const { authorizerId } = await ministack.post(`/v2/apis/${apiId}/authorizers`, {
    ...Object.fromEntries(settings.map(([name, value]) => [name[0]?.toLowerCase() + name.slice(1), value])),
    authorizerUri: String(settings.find(([name]) => name === 'AuthorizerUri')?.[1]).replace(
      'FUNCTION_ARN',
      authorizerFunction,
    ),
  });
  const service =
    'export const handler = async ({ requestContext }) => ({ statusCode: 200, body: JSON.stringify(requestContext.authorizer.lambda) });';
  const { integrationId } = await ministack.post(`/v2/apis/${apiId}/integrations`, {
    integrationType: 'AWS_PROXY',
    integrationUri: await createFunction(ministack, 'orders', service),
    payloadFormatVersion: '2.0',
  });
  const target = `integrations/${integrationId}`;
  for (const routeKey of ['GET /orders', 'POST /orders', 'GET /forgotten'])
    await ministack.post(`/v2/apis/${apiId}/routes`, {
      routeKey,
      target,
      authorizationType: 'CUSTOM',
      authorizerId,
    });
  await ministack.post(`/v2/apis/${apiId}/stages`, { stageName: '$default', autoDeploy: true });
  return ministack.apiUrl(apiId);
}

async function bundledAuthorizer(): Promise<string> {
  const source = await world.write('authorizer.mjs', world.page.block('js'));
  const output = join(world.folder, 'index.mjs');
  const esbuild = join(world.folder, 'node_modules', '.bin', 'esbuild');
  const options = ['--bundle', '--platform=node', '--format=esm', '--log-level=error'];
  await runInstaller(esbuild, [source, ...options, `--outfile=${output}`], { cwd: world.folder });
  return readFile(output, 'utf8');
}

/** Creates a function of this code. Returns its ARN. */
async function createFunction(ministack: Ministack, name: string, code: string): Promise<string> {
  await world.write('index.mjs', code);
  const zip =
    'import base64,io,zipfile\nb=io.BytesIO()\nz=zipfile.ZipFile(b,"w")\nz.write("index.mjs")\nz.close()\nprint(base64.b64encode(b.getvalue()).decode())';
  const { stdout } = await promisify(execFile)('python3', ['-c', zip], {
    cwd: world.folder,
    maxBuffer: 2 ** 26,
  });
  const { FunctionArn = '' } = await ministack.post('/2015-03-31/functions', {
    FunctionName: name,
    Runtime: 'nodejs20.x',
    Role: `arn:aws:iam::000000000000:role/${name}`,
    Handler: 'index.handler',
    Timeout: 20,
    Code: { ZipFile: stdout.trim() },
    // The certificate of the test's issuer is self-signed. Without an endpoint, the emulator does not turn https requests
    // to this machine into http.
    Environment: { Variables: { NODE_EXTRA_CA_CERTS: world.caFile, AWS_ENDPOINT_URL: '' } },
  });
  return FunctionArn;
}

async function call(token?: string, route = 'GET /orders') {
  const [method = '', path] = route.split(' ');
  const answer = await fetch(`${url}${path}`, { method, headers: token === undefined ? {} : bearer(token) });
  return { status: answer.status, body: await answer.json() };
}
const statusOf = async (token?: string, route?: string) => (await call(token, route)).status;

test('the authorizer lets a token with the scope of the route in, and hands the claims on', async () => {
  const { access_token: token } = await tokensOfPerson(world, {}, 'shop-app');
  const { sub } = decodeJwt(token).claims;
  expect(await call(token)).toEqual({
    status: 200,
    body: { sub, client_id: 'shop-app', scope: 'openid contracts:read', permissions: 'contracts:read' },
  });
  expect(await statusOf(token, 'POST /orders')).toBe(403);
  expect(await statusOf(token, 'GET /forgotten')).toBe(403);
});

test('the authorizer refuses spoiled, foreign and id tokens, and API Gateway a call without a token', async () => {
  const { access_token: token, id_token: idToken } = await tokensOfPerson(world, {}, 'shop-app');
  for (const bad of [spoiled(token), idToken, await tokenForTheIssuer(world)])
    expect(await statusOf(bad)).toBe(403);
  expect(await statusOf()).toBe(401);
});

test('the authorizer refuses a revoked token as soon as its answer is not cached any more', async () => {
  const { access_token: token } = await tokensOfPerson(world, {}, 'shop-app');
  expect(await statusOf(token)).toBe(200);
  await createTestClient(world.deployment, { id: 'shop-app' }).post('revoke', { token });
  await waitFor(async () => (await statusOf(token)) === 403, { timeoutMs: 30_000, intervalMs: 500 });
});
