import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Deployment, startServers } from '../support/deployment.ts';
import { createTestClient } from '../support/test-client.ts';
import { appDocument } from './apps.ts';

const { publicKey, privateKey } = await generateKeyPair('ES256');
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };

/** A service inside our own network, which serves the keys of a client. */
let inside: Server;
let requests: string[] = [];
const port = () => (inside.address() as AddressInfo).port;
beforeAll(async () => {
  inside = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/elsewhere') response.writeHead(302, { location: '/jwks' });
    response.end(JSON.stringify(jwks));
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void inside?.close());
beforeEach(() => {
  requests = [];
});

const keysAt = (id: string, url: string) => {
  const { secrets: _, ...document } = appDocument(id, { scopes: ['contracts:read'], redirectUris: [] });
  return { ...document, auth: 'private_key_jwt', jwksUri: url, grants: ['client_credentials'] };
};

async function startWith(hosts: string): Promise<Deployment> {
  return startServers({
    processes: 1,
    redis: false,
    clients: [
      keysAt('by-address', `http://127.0.0.1:${port()}/jwks`),
      keysAt('by-name', `http://localhost:${port()}/jwks`),
      keysAt('redirected', `http://127.0.0.1:${port()}/elsewhere`),
    ],
    env: { GATEHOUSE_OUTGOING_PRIVATE_HOSTS: hosts },
  });
}

/** The status of a token request of this client, whose keys are inside the network. */
async function statusOf(deployment: Deployment, id: string): Promise<number> {
  const assertion = await new SignJWT({ iss: id, sub: id, aud: deployment.issuer, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setExpirationTime('1 minute')
    .sign(privateKey);
  const { status } = await createTestClient(deployment, { id }).post('token', {
    grant_type: 'client_credentials',
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  });
  return status;
}

describe('keys of a client at a private address', () => {
  let deployment: Deployment | undefined;
  afterEach(() => deployment?.stop());

  test('are not requested by default', async () => {
    deployment = await startWith('');
    for (const id of ['by-address', 'by-name']) expect(await statusOf(deployment, id)).toBe(401);
    expect(requests).toEqual([]);
  }, 60_000);

  test('are used when the operator names the range, also through a name, but never through a redirect', async () => {
    deployment = await startWith('10.0.0.0/8, 127.0.0.0/8');
    for (const id of ['by-address', 'by-name']) expect(await statusOf(deployment, id)).toBe(200);
    expect(requests).toEqual(['/jwks', '/jwks']);
    expect(await statusOf(deployment, 'redirected')).toBe(401);
    expect(requests).toEqual(['/jwks', '/jwks', '/elsewhere']);
  }, 60_000);

  test('are used when the operator names the host, and then at no other host or address', async () => {
    deployment = await startWith('localhost');
    expect(await statusOf(deployment, 'by-name')).toBe(200);
    expect(await statusOf(deployment, 'by-address')).toBe(401);
    expect(requests).toEqual(['/jwks']);
  }, 60_000);
});

test('the start is refused on a Node on which private addresses would not be refused', async () => {
  // It hides the class that the library needs for its guard, and leaves requests working.
  const hide = [
    'Response;',
    "const name = Symbol.for('undici.globalDispatcher.1');",
    'const agent = globalThis[name];',
    'globalThis[name] = { constructor: undefined, dispatch: (...a) => agent.dispatch(...a) };',
  ].join('');
  const start = startServers({
    processes: 1,
    redis: false,
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hide)}` },
  });
  const outcome = await start.then(
    async (deployment) => {
      await deployment.stop();
      return 'started';
    },
    (error: Error) => error.message,
  );
  expect(outcome).toMatch(/Requests to private addresses are not refused on Node \d+/);
}, 60_000);
