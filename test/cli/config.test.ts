import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { stringify } from 'yaml';
import { renderConfigurationDocs } from '../../provider/config/docs.ts';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { serializeKeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet, rotate } from '../../provider/keys/rotation.ts';
import { apisFile, audience, createWorkplace, goodClient, type Workplace } from './command.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

let place: Workplace;
const served = {
  GATEHOUSE_AUDIENCE: audience,
  GATEHOUSE_APIS_FILE: 'apis.yaml',
  GATEHOUSE_CLIENTS_FILE: 'clients.yaml',
  GATEHOUSE_DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none',
  GATEHOUSE_KEYS: 'file:nowhere/keys.json',
  GATEHOUSE_SERVER_SECRETS: 'file:nowhere/secrets',
};

beforeAll(async () => {
  place = await createWorkplace();
  await place.write('apis.yaml', apisFile);
  await place.write('clients.yaml', stringify({ clients: [goodClient] }));
  await place.write('bad-apis.yaml', 'apis: []\n');
  const typing = { id: 'portal', redirectUri: [], scopes: ['openid', 'contracts:raed'] };
  await place.write('bad-clients.yaml', stringify({ clients: [goodClient, typing, { ...goodClient }] }));
  await place.write('not-yaml.yaml', 'clients: [\n');
  const farSecret = { ...goodClient, auth: 'client_secret_basic', secrets: [{ ref: 'secretsmanager:#b' }] };
  await place.write('far-secret.yaml', stringify({ clients: [farSecret] }));
});
afterAll(() => place.remove());

describe('config check', () => {
  test('reports no problem for good settings, without connections and without secrets', async () => {
    expect(await place.gatehouse(['config', 'check'], { env: served })).toEqual({
      code: 0,
      stdout: 'Nothing is wrong with the settings and the files they name.\n',
      stderr: '',
    });
  });

  test('lists the problems of settings, APIs and clients at once', async () => {
    const env = {
      ...served,
      GATEHOUSE_PORT: 'eighty',
      GATEHOUSE_ISUER: 'https://id.example.com',
      GATEHOUSE_APIS_FILE: 'bad-apis.yaml',
      GATEHOUSE_CLIENTS_FILE: 'bad-clients.yaml',
    };
    const ended = await place.gatehouse(['config', 'check', '--json'], { env });
    expect(ended.code).toBe(78);
    const { ok, problems } = JSON.parse(ended.stdout);
    expect(ok).toBe(false);
    for (const problem of [
      /GATEHOUSE_ISUER.*Did you mean GATEHOUSE_ISSUER\?/,
      /GATEHOUSE_PORT \("eighty"\)/,
      /^bad-apis\.yaml:1: apis /,
      /^bad-clients\.yaml:\d+: client portal: \/name is missing/,
      /client portal: \/redirectUri .*did you mean "redirectUris"/,
    ]) {
      expect(problems).toContainEqual(expect.stringMatching(problem));
    }
    expect(problems.join()).not.toContain('no API defines');
    expect(JSON.parse(ended.stderr).error).toMatchObject({ code: 'configuration', problems });
  });

  test.each([
    [
      'undefined scopes',
      { GATEHOUSE_CLIENTS_FILE: 'bad-clients.yaml' },
      /contracts:raed.*did you mean "contracts:read"/,
    ],
    [
      'a secret of a client in a place that no server can read',
      { GATEHOUSE_CLIENTS_FILE: 'far-secret.yaml' },
      /client shop: \/secrets\/0\/ref can't be read/,
    ],
    ['a clients file that is not YAML', { GATEHOUSE_CLIENTS_FILE: 'not-yaml.yaml' }, /not valid YAML/],
  ])('finds %s', async (_, env, problem) => {
    const ended = await place.gatehouse(['config', 'check'], { env: { ...served, ...env } });
    expect(ended).toEqual({ code: 78, stdout: '', stderr: expect.stringMatching(problem) });
  });

  test('notes that the default client must be in the database when no file defines it', async () => {
    const env = { ...served, GATEHOUSE_DEFAULT_CLIENT: 'poratl' };
    const ended = await place.gatehouse(['config', 'check'], { env });
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('names poratl') });
  });

  test.each([
    { GATEHOUSE_DATABASE_URL: 'postgres://me:hunter2@db/d?sslmode=prefer' },
    { GATEHOUSE_DATABASE_URL: 'postgres://me:hunter2@db/d?application_name=x&sslrootcert=/no/such/file' },
    { GATEHOUSE_DATABASE_URL: 'postgres://me:hunter2%@db/d' },
    {
      GATEHOUSE_DATABASE_URL: 'postgres://me:1/hunter2@db/d',
      GATEHOUSE_REDIS_URL: 'redis://:1#hunter2@cache',
    },
    { GATEHOUSE_REDIS_URL: 'redis://cache/abc' },
  ])('reports the same problems as serve, without any part of a password: %j', async (env) => {
    const settings = { env: { ...served, ...env } };
    const check = await place.gatehouse(['config', 'check', '--json'], settings);
    const serve = await place.gatehouse(['serve', '--json'], settings);
    expect([check.code, serve.code]).toEqual([78, 78]);
    const { problems, message } = JSON.parse(serve.stderr).error;
    expect(JSON.parse(check.stdout).problems).toEqual(problems ?? [message]);
    expect(check.stdout + check.stderr + serve.stdout + serve.stderr).not.toContain('hunter2');
  });

  test('checks dev if there are no settings; --for serve lists the same problems as serve', async () => {
    const dev = await place.gatehouse(['config', 'check', '--json']);
    expect(JSON.parse(dev.stdout)).toEqual({ ok: true, for: 'dev', problems: [] });
    const check = await place.gatehouse(['config', 'check', '--for', 'serve', '--json']);
    const serve = await place.gatehouse(['serve', '--json']);
    expect(JSON.parse(check.stdout).problems).toHaveLength(3);
    expect(JSON.parse(check.stdout).problems).toEqual(JSON.parse(serve.stderr).error.problems);
  });

  test('finds with --for dev an issuer that dev would refuse', async () => {
    const env = { GATEHOUSE_ISSUER: 'https://id.example.com' };
    const ended = await place.gatehouse(['config', 'check', '--for', 'dev'], { env });
    expect(ended).toMatchObject({ code: 78, stderr: expect.stringContaining('id.example.com') });
  });
});

test('config docs prints the reference of all settings', async () => {
  const { stdout } = await place.gatehouse(['config', 'docs']);
  expect(stdout).toBe(renderConfigurationDocs());
  const json = await place.gatehouse(['config', 'docs', '--json']);
  expect(JSON.parse(json.stdout).settings).toContainEqual(
    expect.objectContaining({ name: 'GATEHOUSE_DATABASE_URL', secret: true, default: null }),
  );
});

describe('clients validate', () => {
  const env = { GATEHOUSE_AUDIENCE: audience };
  const validate = (file: string, ...more: string[]) =>
    place.gatehouse(['clients', 'validate', '-f', file, '--apis', 'apis.yaml', ...more], { env });

  test('reports no problem for a good file', async () => {
    expect(await validate('clients.yaml')).toEqual({
      code: 0,
      stdout: 'clients.yaml: 1 client, nothing wrong.\n',
      stderr: '',
    });
  });

  test('lists all problems with file, client and path', async () => {
    const ended = await validate('bad-clients.yaml');
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/bad-clients\.yaml:\d+: client portal: \/name is missing/);
    expect(ended.stderr).toMatch(/client shop: \/id is taken/);
  });

  test('prints structured problems with --json', async () => {
    const ended = await validate('bad-clients.yaml', '--json');
    const { ok, clients, problems } = JSON.parse(ended.stdout);
    expect({ ok, clients }).toEqual({ ok: false, clients: 3 });
    expect(problems).toContainEqual({
      file: 'bad-clients.yaml',
      line: expect.any(Number),
      client: 'portal',
      path: '/scopes/1',
      message: expect.stringContaining('contracts:raed'),
    });
    expect(JSON.parse(ended.stderr).error.code).toBe('validation_failed');
  });

  test.each([
    ['not-yaml.yaml', /not valid YAML/],
    ['nowhere.yaml', /there is no such file/],
  ])('reports %s as one problem', async (file, message) => {
    const ended = await validate(file, '--json');
    expect(ended.code).toBe(1);
    const found = { client: null, file, line: null, path: '', message: expect.stringMatching(message) };
    expect(JSON.parse(ended.stdout).problems).toContainEqual(found);
  });

  test('lists the problems of all entries, even if some entries are malformed; config check does too', async () => {
    const broken = [
      'clients:',
      '  - id: first',
      '    redirectUri: https://first.example/callback',
      '  - id: second',
      '    name: *nowhere',
      '  - just text',
      '  - id: third',
      '    scopes: [contracts:raed]',
      '    scopes: []',
      '  - id: fourth',
      '    name: Fourth',
      '    grants: [telepathy]',
    ];
    await place.write('broken.yaml', broken.join('\n'));
    const ended = await validate('broken.yaml', '--json');
    expect(ended.code).toBe(1);
    const lines: string[] = JSON.parse(ended.stderr).error.problems;
    for (const problem of [
      /^broken\.yaml:9:5: not valid YAML: the same key is there twice/,
      /^broken\.yaml:4: not valid YAML: an alias/,
      /^broken\.yaml:2: client first: \/name is missing/,
      /^broken\.yaml:2: client first: \/redirectUri .*did you mean "redirectUris"/,
      /^broken\.yaml:6: a client without a valid id: the document must be a map/,
      /^broken\.yaml:10: client fourth: \/grants\/0 /,
    ]) {
      expect(lines).toContainEqual(expect.stringMatching(problem));
    }
    const check = await place.gatehouse(['config', 'check', '--json'], {
      env: { ...served, GATEHOUSE_CLIENTS_FILE: 'broken.yaml' },
    });
    expect(JSON.parse(check.stdout).problems).toEqual(expect.arrayContaining(lines));
  });

  test('reports a grant that is off, and the setting that turns it on', async () => {
    const tv = { id: 'tv', name: 'TV', auth: 'none', grants: ['device_code'], scopes: ['openid'] };
    await place.write('tv.yaml', stringify({ clients: [tv] }));
    const off = await validate('tv.yaml');
    expect(off).toMatchObject({ code: 1, stdout: '' });
    expect(off.stderr).toContain(
      'client tv: /grants/0 device_code is off here: set GATEHOUSE_DEVICE_FLOW=true, or remove it',
    );
    const args = ['clients', 'validate', '-f', 'tv.yaml', '--apis', 'apis.yaml'];
    const on = await place.gatehouse(args, { env: { ...env, GATEHOUSE_DEVICE_FLOW: 'true' } });
    expect(on).toMatchObject({ code: 0, stderr: '' });
  });

  test('reports an invalid APIs file', async () => {
    const args = ['clients', 'validate', '-f', 'clients.yaml', '--apis', 'bad-apis.yaml'];
    const ended = await place.gatehouse(args, { env });
    expect(ended).toMatchObject({ code: 78, stderr: expect.stringContaining('bad-apis.yaml:1: apis') });
  });
});

describe('keys', () => {
  test('create writes a file that only the owner can read, and never overwrites it', async () => {
    const create = ['keys', 'create', '--out', 'made.json'];
    const first = await place.gatehouse([...create, '--json']);
    expect(first.code).toBe(0);
    const { kid, store } = JSON.parse(first.stdout);
    expect(store).toBe('file:made.json');
    const file = join(place.folder, 'made.json');
    const text = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await place.gatehouse(create)).toMatchObject({
      code: 73,
      stderr: expect.stringContaining('made.json'),
    });
    expect(await readFile(file, 'utf8')).toBe(text);
    const list = await place.gatehouse(['keys', 'list', '--json'], {
      env: { GATEHOUSE_KEYS: 'file:made.json' },
    });
    expect(JSON.parse(list.stdout).keys).toEqual([
      expect.objectContaining({ kid, state: 'signing', published: true, retiredAt: null }),
    ]);
  });

  test('list shows the use of each key, and no private values', async () => {
    const hour = 3_600_000;
    const now = Date.now();
    const [first, second, third] = [await generateKey(), await generateKey(), await generateKey()];
    const before = rotate(firstKeySet(first, now - 9 * hour), second, now - 5 * hour, 3 * 3600);
    const set = rotate(before, third, now - hour, 3 * 3600);
    await place.write('set.json', serializeKeySet(set));
    await chmod(join(place.folder, 'set.json'), 0o600);
    const env = { GATEHOUSE_KEYS: 'file:set.json' };
    const json = await place.gatehouse(['keys', 'list', '--json'], { env });
    expect(JSON.parse(json.stdout).keys).toMatchObject([
      {
        kid: first.kid,
        state: 'retired',
        published: true,
        retiredAt: new Date(now - 2 * hour).toISOString(),
      },
      { kid: second.kid, state: 'signing', retiredAt: new Date(now + 2 * hour).toISOString() },
      { kid: third.kid, state: 'next', signsFrom: new Date(now + 2 * hour).toISOString(), retiredAt: null },
    ]);
    const text = await place.gatehouse(['keys', 'list'], { env });
    expect(text.stdout).toMatch(new RegExp(`${second.kid} +signing`));
    for (const { privateJwk } of set.keys) {
      for (const secret of [privateJwk?.d, privateJwk?.p, privateJwk?.q]) {
        expect(json.stdout + text.stdout).not.toContain(secret);
      }
    }
  });
});
