import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPair, SignJWT } from 'jose';
import { eachStore, type FleetDeployment, startServers } from '../support/deployment.ts';
import { type DocumentHosts, publicMetadata, startDocumentHosts } from '../support/document-host.ts';
import { metric } from '../support/metrics.ts';
import { createTestClient, type JsonAnswer } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

// How hosts of documents may fail or attack, and what Gatehouse does then.

const redirectUri = 'http://localhost:8080/agent/callback';

let hosts: DocumentHosts;
beforeAll(async () => {
  hosts = await startDocumentHosts();
});
afterAll(() => hosts?.stop());

const settings = () => ({
  ...hosts.env,
  GATEHOUSE_CLIENT_ID_METADATA_HOSTS: 'apps.example.test',
  // This setting never opens a private address to these requests.
  GATEHOUSE_OUTGOING_PRIVATE_HOSTS: '10.0.0.0/8, 127.0.0.0/8, apps.example.test',
});

const json = { 'content-type': 'application/json' };

/** A path that no other test uses. */
const newPath = () => `/${randomUUID()}.json`;

type Deployed = Pick<FleetDeployment, 'fetch' | 'issuer' | 'origins'>;

const agentOf = (deployment: Deployed, id: string) =>
  createTestClient(deployment as FleetDeployment, { id, redirectUri });

/** What a person sees whom this client sends to Gatehouse: the page to sign in, or the reason against it. */
async function opened(deployment: Deployed, id: string, parameters = {}): Promise<string> {
  const page = await createUserAgent(deployment).get(agentOf(deployment, id).authorizationUrl(parameters));
  if (page.html.includes('name="password"')) return 'sign-in page';
  return `${page.status} ${page.html.replace(/<style[\s\S]*?<\/style>|<[^>]+>/g, ' ').replace(/\s+/g, ' ')}`;
}

const countOf = (path: string) => hosts.requests.filter((one) => one === path).length;

describe('a document that must not be used', () => {
  let deployment: FleetDeployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, redis: false, env: settings() });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const good = (id: string) => JSON.stringify({ client_id: id, ...publicMetadata });

  test.each<[string, (id: string) => Parameters<DocumentHosts['answer']>[1], string]>([
    [
      'is too large, and its host says so',
      (id) => (_, response) => {
        const text = good(id).padEnd(9000);
        response.writeHead(200, { ...json, 'content-length': text.length }).end(text);
      },
      'it has more than 8192 bytes',
    ],
    [
      'has no end',
      () => (_, response) => {
        response.writeHead(200, json);
        const more = setInterval(() => response.write(' '.repeat(1000)), 1);
        response.once('close', () => clearInterval(more));
      },
      'it has more than 8192 bytes',
    ],
    ['never comes', () => () => {}, 'its host does not answer in time'],
    [
      'comes a byte at a time',
      (id) => (_, response) => {
        response.writeHead(200, json);
        const text = good(id);
        let at = 0;
        const more = setInterval(() => response.write(text[at++] ?? ' '), 100);
        response.once('close', () => clearInterval(more));
      },
      'its host does not answer in time',
    ],
    [
      'is elsewhere',
      () => (_, response) => response.writeHead(302, { location: hosts.url('/good.json') }).end(),
      'its host answers with a redirect (302)',
    ],
    [
      'is not there',
      () => (_, response) => response.writeHead(404).end(),
      'its host answers with the status 404',
    ],
    [
      'is a page',
      (id) => (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(good(id)),
      'its Content-Type is not application/json',
    ],
    ['is no JSON', () => (_, response) => response.writeHead(200, json).end('{'), 'it is not a JSON object'],
    [
      'is of another client',
      () => (_, response) => response.writeHead(200, json).end(good(hosts.url('/good.json'))),
      'its client_id is not the URL that it was fetched from',
    ],
  ])(
    'because it %s',
    async (_, answerOf, reason) => {
      hosts.publish('/good.json');
      const path = newPath();
      hosts.answer(path, answerOf(hosts.url(path)));
      const found = await opened(deployment, hosts.url(path));
      expect(found).toContain(`the metadata document of this client can&#39;t be used: ${reason}`);
      expect(found).toMatch(/^40[01] /);
      expect(countOf('/good.json')).toBe(0);
    },
    30_000,
  );

  test.each<[string, Record<string, unknown>, string]>([
    ['a secret', { client_secret: 'known to all' }, 'it has client_secret'],
    [
      'a secret method',
      { token_endpoint_auth_method: 'client_secret_post' },
      'token_endpoint_auth_method must be',
    ],
    ['no redirect URI', { redirect_uris: [] }, 'authorization_code needs at least one redirect URI'],
    [
      'a redirect URI for any host',
      { redirect_uris: ['https://*.example.com/'] },
      'redirect_uris/0 must not contain a',
    ],
    [
      'a redirect URI that runs a script',
      { redirect_uris: ['javascript:alert(1)'] },
      'redirect_uris/0 must use a scheme',
    ],
    [
      'a plain http redirect URI',
      { redirect_uris: ['http://app.example.com/'] },
      'redirect_uris/0 must use https',
    ],
    [
      'no grant that we have',
      { grant_types: ['password', 'client_credentials'] },
      'grant_types must not be empty',
    ],
    [
      'a key with its private part',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA', d: 'AA' }] },
      },
      'jwks/keys/0 holds private parts',
    ],
    ['a name that is no text', { client_name: 7 }, 'client_name must be text'],
  ])('because it has %s', async (_, changes, reason) => {
    const id = hosts.publish(newPath(), { ...publicMetadata, ...changes });
    expect(await opened(deployment, id)).toContain(reason);
  });

  test.each([
    ['on a host that is not allowed', 'https://tools.example.test/agent.json'],
    [
      'on a host with the allowed one in front',
      'https://apps.example.test.elsewhere.example.test/agent.json',
    ],
    ['with a port', 'https://apps.example.test:8443/agent.json'],
    ['with a user name', 'https://apps.example.test@elsewhere.example.test/agent.json'],
    ['in another spelling', 'https://apps.example.test/a/../agent.json'],
    ['in another spelling of that', 'https://apps.example.test/a/%2e%2e/agent.json'],
    ['with a fragment', 'https://apps.example.test/agent.json#one'],
    ['with a query', 'https://apps.example.test/agent.json?one'],
    ['without a path', 'https://apps.example.test/'],
    ['without TLS', 'http://apps.example.test/agent.json'],
    ['that is too long', `https://apps.example.test/${'a'.repeat(240)}`],
  ])('because its URL is one %s; nothing is requested', async (_, id) => {
    const before = hosts.requests.length;
    expect(await opened(deployment, id)).toMatch(/^400 /);
    expect(hosts.requests).toHaveLength(before);
  });

  test.each(['10.0.0.5', '127.0.0.1', '169.254.169.254', '192.168.1.1', '100.64.0.1'])(
    'because its host has the private address %s; no connection is opened',
    async (address) => {
      const path = newPath();
      const id = hosts.publish(path);
      hosts.moveTo(address);
      expect(await opened(deployment, id)).toContain('its host has a private address');
      hosts.moveTo('93.184.215.14');
      expect(countOf(path)).toBe(0);
      expect(await opened(deployment, id)).toBe('sign-in page');
    },
  );

  test('the refusal tells nothing that the document says', async () => {
    const id = hosts.publish(newPath(), {
      ...publicMetadata,
      redirect_uris: ['https://internal-name/#secret'],
    });
    const found = await opened(deployment, id);
    expect(found).toContain('redirect_uris/0 must not contain a fragment');
    expect(found).not.toContain('internal-name');
  });
});

describe.each(eachStore)('a document over time, on $name', ({ start }) => {
  let deployment: FleetDeployment;
  beforeAll(async () => {
    deployment = await start({ processes: 2, env: settings() });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('is asked for again after its time, within our bounds, and by one process', async () => {
    for (const [cacheControl, seconds] of [
      ['max-age=1', 300],
      ['no-store', 300],
      ['max-age=1200', 1200],
      ['max-age=99999999', 86_400],
      ['', 3600],
    ] as const) {
      const path = newPath();
      const id = hosts.publish(path, publicMetadata, { 'cache-control': cacheControl });
      const look = async () => {
        for (const _ of deployment.origins) expect(await opened(deployment, id)).toBe('sign-in page');
      };
      await look();
      hosts.advance(seconds - 60);
      await look();
      expect([cacheControl, countOf(path)]).toEqual([cacheControl, 1]);
      hosts.advance(120);
      await look();
      expect([cacheControl, countOf(path)]).toEqual([cacheControl, 2]);
    }
  }, 60_000);

  test('is used in its new form, also by clients with older tokens; a bad change ends the client', async () => {
    const path = newPath();
    const id = hosts.publish(path);
    const agent = agentOf(deployment, id);
    const tokens = await agent.signIn(createUserAgent(deployment), { scope: 'openid offline_access' });

    hosts.publish(path, { ...publicMetadata, redirect_uris: ['http://localhost:8080/moved'] });
    hosts.advance(3700);
    expect(await opened(deployment, id)).toMatch(/^400 .*redirect_uri/);
    expect(await opened(deployment, id, { redirect_uri: 'http://localhost:8080/moved' })).toBe(
      'sign-in page',
    );
    const refreshed = await agent.refresh(tokens.refresh_token);
    expect(refreshed.status).toBe(200);

    hosts.publish(path, { ...publicMetadata, redirect_uris: ['ftp:x'] });
    hosts.advance(3700);
    const refused = await agent.refresh(String(refreshed.body.refresh_token));
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_client' } });
    for (const _ of deployment.origins) expect(await opened(deployment, id)).toContain('redirect_uris/0');
  }, 60_000);

  test('is used for a day more while its host is away, and no longer', async () => {
    const id = hosts.publish(newPath());
    const before = await stale(deployment);
    expect(await opened(deployment, id)).toBe('sign-in page');
    await hosts.away();
    hosts.advance(3700);
    for (const _ of deployment.origins) expect(await opened(deployment, id)).toBe('sign-in page');
    expect(await stale(deployment)).toBeGreaterThan(before);
    hosts.advance(86_400);
    expect(await opened(deployment, id)).toContain('can’t be reached');
    await hosts.back();
    await waitFor(async () => (await opened(deployment, id)) === 'sign-in page', { what: 'the host' });
  }, 60_000);

  test('is gone at once when its host says so', async () => {
    const path = newPath();
    const id = hosts.publish(path);
    expect(await opened(deployment, id)).toBe('sign-in page');
    hosts.answer(path, (_, response) => response.writeHead(410).end());
    hosts.advance(3700);
    for (const _ of deployment.origins) expect(await opened(deployment, id)).toContain('the status 410');
  });

  test('is kept when all processes start again', async () => {
    const path = newPath();
    const id = hosts.publish(path);
    expect(await opened(deployment, id)).toBe('sign-in page');
    await Promise.all(deployment.origins.map((_, index) => deployment.restart(index)));
    for (const _ of deployment.origins) expect(await opened(deployment, id)).toBe('sign-in page');
    expect(countOf(path)).toBe(1);
  }, 60_000);
});

const stale = (deployment: FleetDeployment) =>
  metric(deployment, 'gatehouse_client_metadata_fetches_total', 'outcome="stale"');

test('a flood of made-up ids is refused by network; clients that are known go on, with their last good document', async () => {
  const deployment = await startServers({ processes: 1, env: settings() });
  try {
    const path = newPath();
    const id = hosts.publish(path);
    expect(await opened(deployment, id)).toBe('sign-in page');
    const flood = Array.from({ length: 80 }, () =>
      agentOf(deployment, hosts.url(newPath())).redeem('made-up'),
    );
    const answers: JsonAnswer[] = await Promise.all(flood);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answers.length - refused.length).toBeLessThanOrEqual(66);
    hosts.advance(400);
    expect(await opened(deployment, id)).toBe('sign-in page');
    hosts.publish(path, publicMetadata, { 'cache-control': 'max-age=1' });
    expect(countOf(path)).toBe(1);
  } finally {
    await deployment.stop();
  }
}, 120_000);

test('the keys of such a client are fetched within the same limits', async () => {
  const env = { ...settings(), GATEHOUSE_LIMITS_PERCENT: '2' };
  const deployment = await startServers({ processes: 1, redis: false, env });
  try {
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: hosts.url('/keys') };
    const agent = agentOf(deployment, hosts.publish(newPath(), { ...publicMetadata, ...keys }));
    const { privateKey } = await generateKeyPair('ES256');
    const limited = () => metric(deployment, 'gatehouse_limited_total', 'action="client-metadata"');
    const before = await limited();
    for (let tries = 0; tries < 5; tries += 1) {
      const assertion = await new SignJWT({
        iss: agent.id,
        sub: agent.id,
        aud: deployment.issuer,
        jti: randomUUID(),
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuedAt(Math.floor(Date.now() / 1000) + hosts.shiftedSeconds)
        .setExpirationTime(Math.floor(Date.now() / 1000) + hosts.shiftedSeconds + 60)
        .sign(privateKey);
      const { status } = await agent.redeem('made-up', {
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
      expect(status).toBeGreaterThanOrEqual(400);
    }
    expect(await limited()).toBeGreaterThan(before);
  } finally {
    await deployment.stop();
  }
}, 120_000);

test('with the setting off, a URL is an unknown client and nothing is requested', async () => {
  const path = newPath();
  const id = hosts.publish(path);
  const deployment = await startServers({
    processes: 1,
    redis: false,
    env: { ...settings(), GATEHOUSE_CLIENT_ID_METADATA_HOSTS: '' },
  });
  try {
    expect(await opened(deployment, id)).toMatch(/^400 /);
    expect(countOf(path)).toBe(0);
    const answer = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    expect(await answer.json()).not.toHaveProperty('client_id_metadata_document_supported');
  } finally {
    await deployment.stop();
  }
}, 120_000);
