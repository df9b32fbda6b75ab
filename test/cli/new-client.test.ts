import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { clientKinds } from '../../provider/bin/commands/new-client.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { callJsonApi } from '../support/json-api.ts';
import { createTestClient, decodeJwt, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { createWorkplace, type Ended, type Workplace } from './command.ts';

// Each test starts the program, and the machine may be busy.
jest.setTimeout(120_000);

let place: Workplace;
beforeAll(async () => {
  place = await createWorkplace();
});
afterAll(() => place.remove());

const gatehouse = (...args: string[]): Promise<Ended> => place.gatehouse(args);

/** The value beside a name in the text for people. */
const factOf = (text: string, name: string) => new RegExp(`^ +${name} +(.*)$`, 'm').exec(text)?.[1];

const callback = 'http://localhost:8080/shop/callback';
const options = {
  web: ['--redirect-uri', callback],
  spa: ['--redirect-uri', callback],
  native: [],
  service: ['--scope', 'contracts:read'],
  'first-party': ['--scope', 'contracts:read'],
} as const;
type Kind = keyof typeof options;
const kinds = Object.keys(options) as Kind[];

test('the kinds of these tests are all kinds', () => {
  expect(kinds).toEqual(Object.keys(clientKinds));
});

describe('a new client', () => {
  const made = {} as Record<Kind, Ended>;
  let deployment: Deployment;
  beforeAll(async () => {
    const clients: unknown[] = [];
    for (const kind of kinds) {
      made[kind] = await gatehouse('clients', 'new', `My ${kind}`, '--kind', kind, ...options[kind]);
      clients.push(parse(made[kind].stdout));
    }
    deployment = await startServers({ clients, processes: 1 });
  });
  afterAll(() => deployment?.stop());

  /** The app, with what a person pasted from the output. */
  function appOf(kind: Kind, redirectUri = factOf(made[kind].stderr, 'Redirect URI')) {
    const { stderr } = made[kind];
    const secret = factOf(stderr, 'Client secret');
    return createTestClient(deployment, {
      id: factOf(stderr, 'Client ID') ?? '',
      ...(secret === undefined ? {} : { secret }),
      ...(redirectUri === undefined ? {} : { redirectUri }),
    });
  }

  test.each(kinds)('of the kind %s has a valid document, alone on standard output', async (kind) => {
    expect(made[kind].code).toBe(0);
    const file = `my-${kind}.yaml`;
    await place.write(file, made[kind].stdout);
    expect(await gatehouse('clients', 'validate', '-f', file)).toMatchObject({
      code: 0,
      stdout: `${file}: 1 client, nothing wrong.\n`,
    });
    expect(parse(made[kind].stdout)).toMatchObject({ id: `my-${kind}`, name: `My ${kind}` });
  });

  test('can be added to the end of a file that has clients already', async () => {
    const list = `clients:\n  - { id: other, name: Other, auth: none, redirectUris: [${callback}], scopes: [openid] }\n`;
    await place.write('all.yaml', `${list}${made.web.stdout}${made.spa.stdout}`);
    expect(await gatehouse('clients', 'validate', '-f', 'all.yaml')).toMatchObject({
      stdout: 'all.yaml: 3 clients, nothing wrong.\n',
    });
  });

  test.each(['web', 'spa', 'native'] as const)('of the kind %s signs a person in', async (kind) => {
    const tokens = await appOf(kind).signIn(createUserAgent(deployment), {
      scope: factOf(made[kind].stderr, 'Scopes'),
    });
    expect(decodeJwt(tokens.id_token).claims.aud).toBe(`my-${kind}`);
    expect(tokens.refresh_token).toBeDefined();
  });

  test('of the kind native may use any port of this machine (RFC 8252 §7.3)', async () => {
    const app = appOf('native', 'http://127.0.0.1:49152/callback');
    expect((await app.signIn(createUserAgent(deployment))).id_token).toBeDefined();
  });

  test('of the kind spa may be called from its page, and a native one has no page', async () => {
    const preflight = async (origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const url = `${deployment.issuer}/oauth2/token`;
      return (await deployment.fetch(url, { method: 'OPTIONS', headers })).headers.get(
        'access-control-allow-origin',
      );
    };
    expect(parse(made.spa.stdout).origins).toEqual(['http://localhost:8080']);
    expect(await preflight('http://localhost:8080')).toBe('http://localhost:8080');
  });

  test('of the kind service gets a token for the API', async () => {
    const { access_token } = tokensOf(await appOf('service').clientCredentials());
    expect(decodeJwt(access_token).claims).toMatchObject({
      aud: deployment.audience,
      scope: 'contracts:read',
      sub: 'my-service',
    });
  });

  test('of the kind first-party signs a person in by the JSON API', async () => {
    const { email, password } = demo;
    const clientId = factOf(made['first-party'].stderr, 'Client ID');
    const { status, body } = await callJsonApi(deployment, '/auth/login', { email, password, clientId });
    expect(status).toBe(200);
    expect(decodeJwt(String(body.accessToken)).claims.client_id).toBe('my-first-party');
  });

  test.each(kinds)('of the kind %s has a secret only if it can keep one, and shows it once', (kind) => {
    const secret = factOf(made[kind].stderr, 'Client secret');
    const { secrets } = parse(made[kind].stdout) as { secrets?: { sha256: string }[] };
    expect(secret !== undefined).toBe(['web', 'service'].includes(kind));
    if (secret === undefined) return expect(secrets).toBeUndefined();
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets).toEqual([{ sha256: createHash('sha256').update(secret).digest('base64url') }]);
    expect(made[kind].stdout).not.toContain(secret);
    expect(made[kind].stderr.split(secret)).toHaveLength(2);
  });

  test('of each kind names the issuer, and a page that exists', async () => {
    for (const kind of kinds) {
      expect(factOf(made[kind].stderr, 'Issuer')).toBe('http://localhost:3000');
      const page = /docs\/[\w./-]+\.md/.exec(made[kind].stderr)?.[0] ?? 'no page';
      expect(await readFile(page, 'utf8')).toContain('# ');
    }
  });
});

describe('a new client with mistakes', () => {
  test('lists all of them, prints no document, and makes no secret', async () => {
    const args = ['--kind', 'service', '--scope', 'openid', 'nope', '--redirect-uri', 'http://x.example/#y'];
    const { code, stdout, stderr } = await gatehouse('clients', 'new', '!', ...args);
    expect([code, stdout]).toEqual([1, '']);
    const problems = stderr.split('\n').filter((line) => line.startsWith('  - '));
    expect(problems).toEqual([
      expect.stringContaining('--redirect-uri is not for a service'),
      expect.stringContaining('the name gives the client id ""'),
      expect.stringContaining('--redirect-uri http://x.example/#y must not contain a fragment'),
      expect.stringContaining('--scope nope: no API defines the scope'),
    ]);
    expect(stderr).not.toMatch(/[0-9a-f]{64}/);
  });

  test.each([
    ['web', '--redirect-uri is missing'],
    ['spa', '--redirect-uri is missing'],
    [
      'service',
      '--scope is missing: a service needs scopes of an API. Known are contracts:read, contracts:write',
    ],
  ])('of the kind %s without what it needs says what it needs', async (kind, problem) => {
    const { code, stderr } = await gatehouse('clients', 'new', 'Shop', '--kind', kind);
    expect(code).toBe(1);
    expect(stderr).toContain(problem);
  });

  test.each([
    [['Shop'], "required option '--kind <kind>'"],
    [['Shop', '--kind', 'mobile'], 'Allowed choices are web, spa, native, service, first-party'],
  ])('called with %j is a wrong call', async (args, problem) => {
    const { code, stderr } = await gatehouse('clients', 'new', ...args);
    expect(code).toBe(64);
    expect(stderr).toContain(problem);
  });

  test('whose name is that of an account is refused, and so is a name of several lines', async () => {
    const args = ['--kind', 'first-party'];
    const account = await gatehouse('clients', 'new', 'user_1', ...args);
    expect(account.stderr).toContain('the name gives the client id "user_1", which must not start with');
    const lines = await gatehouse('clients', 'new', 'two\nlines', ...args);
    expect(lines.stderr).toContain('the name must be one line');
  });
});

test('with --json, standard output has the document and what the app needs', async () => {
  const args = ['Shop', '--kind', 'web', '--redirect-uri', callback, '--json'];
  const { stdout, stderr } = await gatehouse('clients', 'new', ...args);
  expect(stderr).toBe('');
  const { client, app } = JSON.parse(stdout) as {
    client: { secrets: { sha256: string }[] };
    app: { clientSecret: string };
  };
  expect(app).toMatchObject({ clientId: 'shop', redirectUris: [callback], issuer: 'http://localhost:3000' });
  const digest = createHash('sha256').update(app.clientSecret).digest('base64url');
  expect(client.secrets).toEqual([{ sha256: digest }]);
});
