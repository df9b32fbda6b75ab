import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { stringify } from 'yaml';
import { PostgresClientStore } from '../../adapters/postgres/client-store.ts';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresUnitOfWork } from '../../adapters/postgres/unit-of-work.ts';
import { digestOf } from '../../provider/clients/stored-secrets.ts';
import { announcedState, clientsFileTopic } from '../../provider/ports/announcements.ts';
import type { ClientOwner } from '../../provider/ports/client-store.ts';
import { atOnce } from '../support/at-once.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { apisFile, audience, createWorkplace, goodClient, type Workplace } from './command.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

let database: TestDatabase;
let pool: Database;
let place: Workplace;
let store: PostgresClientStore;
let unitOfWork: PostgresUnitOfWork;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openDatabase({ url: database.url, poolMax: 2 });
  store = new PostgresClientStore({ db: pool.knex });
  unitOfWork = new PostgresUnitOfWork({ db: pool.knex });
  const env = {
    GATEHOUSE_DATABASE_URL: database.url,
    GATEHOUSE_AUDIENCE: audience,
    GATEHOUSE_APIS_FILE: 'apis.yaml',
  };
  place = await createWorkplace(env);
  await place.write('apis.yaml', apisFile);
  expect(await place.gatehouse(['migrate'])).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await pool.close();
  await database.drop();
  await place.remove();
});

const owner: ClientOwner = { source: 'commands', name: 'default' };
const kubernetes: ClientOwner = { source: 'kubernetes', name: 'shop/web' };
beforeEach(async () => {
  await unitOfWork.run(async ({ announcements, clients }) => {
    await announcements.exchange(clientsFileTopic, announcedState(new Map()));
    for (const client of await storedClients()) await clients.delete(client.id, client.owner);
  });
});
const storedClients = () => new PostgresClientStore({ db: pool.knex }).all();

const shop = { ...goodClient, secrets: undefined };
const spa = {
  id: 'spa',
  name: 'Spa',
  auth: 'none',
  redirectUris: ['https://spa.example.com/'],
  scopes: ['openid'],
};
const put = (id: string, by = owner) =>
  unitOfWork.run(({ clients }) =>
    clients.put({ id, owner: by, document: { ...spa, id }, secrets: [{ sha256: digestOf('x') }] }),
  );
const yaml = (...clients: object[]) => stringify({ clients });
const clients = (...args: string[]) => place.gatehouse(['clients', ...args]);
const apply = async (text: string, ...more: string[]) => {
  await place.write('clients.yaml', text);
  return clients('apply', '-f', 'clients.yaml', ...more);
};
const secretOf = (stdout: string, id = 'shop') =>
  new RegExp(`^Secret of ${id}, which is shown only now: ([0-9a-f]{64})$`, 'm').exec(stdout)?.[1] ?? '';

describe('clients apply', () => {
  test('creates clients with secrets that are shown once; a second run changes nothing', async () => {
    const first = await apply(yaml(shop, spa));
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^\+ shop: created\n {4}name: "The Shop"\n/);
    expect(first.stdout).toMatch(/\n {4}a secret is generated\n\+ spa: created\n/);
    const secret = secretOf(first.stdout);
    expect((await store.find('shop'))?.secrets).toEqual([{ sha256: digestOf(secret) }]);
    expect((await store.find('spa'))?.secrets).toEqual([]);
    const version = await store.version();
    const second = await apply(yaml(shop, spa));
    expect(second).toEqual({ code: 0, stderr: '', stdout: 'Nothing differs: 2 unchanged.\n' });
    expect(await store.version()).toBe(version);
  });

  test('reads standard input and folders; documents may be separated by ---', async () => {
    const input = `${stringify(spa)}---\n${stringify({ ...spa, id: 'spa-2' })}`;
    const piped = await place.gatehouse(['clients', 'apply', '-f', '-'], { input });
    expect(piped).toMatchObject({ code: 0 });
    await mkdir(join(place.folder, 'folder'), { recursive: true });
    await place.write('folder/a.yml', yaml({ ...spa, id: 'spa-3' }));
    await place.write('folder/b.yaml', stringify({ ...spa, id: 'spa-4' }));
    expect(await clients('apply', '-f', 'folder')).toMatchObject({ code: 0 });
    expect((await store.all()).map(({ id }) => id)).toEqual(['spa', 'spa-2', 'spa-3', 'spa-4']);
  });

  test('prints JSON', async () => {
    const { stdout } = await apply(yaml(shop), '--json', '--owner', 'team');
    const { secrets, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({
      owner: 'team',
      dryRun: false,
      changes: [
        {
          id: 'shop',
          action: 'create',
          document: JSON.parse(JSON.stringify(shop)),
          secrets: ['a secret is generated'],
          endsTokens: false,
        },
      ],
      unchanged: 0,
    });
    expect(secrets).toEqual([{ client: 'shop', secret: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });

  test('with --prune deletes the other clients of the owner, and no others', async () => {
    await apply(yaml(spa), '--owner', 'team');
    await put('theirs', kubernetes);
    await apply(yaml({ ...spa, id: 'old' }, { ...spa, id: 'kept' }));
    const { stdout } = await apply(yaml({ ...spa, id: 'kept' }), '--prune');
    expect(stdout).toBe('- old: deleted\n    everything it was issued ends\n1 unchanged.\n');
    expect((await store.all()).map(({ id }) => id)).toEqual(['kept', 'spa', 'theirs']);
  });

  test('with --dry-run writes nothing and shows no secret', async () => {
    const { code, stdout } = await apply(yaml(shop), '--dry-run');
    expect([code, await store.all()]).toEqual([0, []]);
    expect(stdout).toMatch(/^\+ shop: would be created\n/);
    expect(stdout).not.toMatch(/[0-9a-f]{64}/);
    const json = JSON.parse((await apply(yaml(shop), '--dry-run', '--json')).stdout);
    expect(json).toMatchObject({ dryRun: true, changes: [{ id: 'shop', action: 'create' }] });
  });

  test('lists the problems of all clients at once, and writes none of them', async () => {
    await place.write('more.yaml', 'id: more\nname: [\n');
    const bad = yaml(
      { ...shop, scopes: ['contracts:raed'] },
      { ...spa, auth: 'nothing' },
      { ...spa, id: 'x' },
    );
    const { code, stdout, stderr } = await apply(bad, '--json');
    const { error } = JSON.parse(stderr);
    expect([code, stdout, error.code]).toEqual([1, '', 'validation_failed']);
    expect(error.problems).toEqual([
      expect.stringMatching(/^clients\.yaml:\d+: client shop: \/scopes\/0 .*contracts:raed/),
      expect.stringMatching(/client spa: \/auth /),
      expect.stringMatching(/\/id must be 2 to 128/),
    ]);
    expect(await store.all()).toEqual([]);
    expect(await clients('apply', '-f', 'more.yaml')).toMatchObject({ code: 1 });
    expect(await clients('apply', '-f', 'nowhere.yaml')).toMatchObject({ code: 1 });
    expect(await clients('apply', '-f', 'clients.yaml', '--owner', 'a/b')).toMatchObject({ code: 64 });
  });

  test('checks APIs by the settings of the servers, or by --apis', async () => {
    await place.write('other-apis.yaml', apisFile.replaceAll('contracts:', 'orders:'));
    const other = yaml({ ...spa, scopes: ['openid', 'orders:read'] });
    expect(await apply(other)).toMatchObject({ code: 1 });
    expect(await apply(other, '--apis', 'other-apis.yaml')).toMatchObject({ code: 0 });
  });

  test('refuses clients of other owners and of the file of the servers, and names them all', async () => {
    await put('theirs', kubernetes);
    await put('team', { source: 'commands', name: 'team' });
    await unitOfWork.run(({ announcements }) =>
      announcements.exchange(clientsFileTopic, announcedState(new Map([['in-file', 'digest']]))),
    );
    const all = ['theirs', 'team', 'in-file', 'mine'].map((id) => ({ ...spa, id }));
    const { code, stderr } = await apply(yaml(...all), '--json');
    const { error } = JSON.parse(stderr);
    expect([code, error.code]).toEqual([1, 'client_taken']);
    expect(error.problems).toEqual([
      expect.stringMatching(/^client theirs belongs to OIDCClient shop\/web: change that resource/),
      expect.stringMatching(/^client team belongs to clients apply \(owner team\): .*--owner team/),
      expect.stringMatching(/^client in-file is in the file that the servers read: .*--from-file/),
    ]);
    expect(await store.find('mine')).toBeUndefined();
    expect(await apply(yaml(...all.slice(2)), '--from-file')).toMatchObject({ code: 0 });
    expect((await store.all()).map(({ id }) => id)).toEqual(['in-file', 'mine', 'team', 'theirs']);
  });

  test('two at the same time leave one secret, the one that was shown', async () => {
    await place.write('clients.yaml', yaml(shop));
    const run = () => clients('apply', '-f', 'clients.yaml');
    const all = await atOnce(4, run);
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const shown = all.map(({ stdout }) => secretOf(stdout)).filter((secret) => secret !== '');
    expect(shown).toHaveLength(1);
    expect((await store.find('shop'))?.secrets).toEqual([{ sha256: digestOf(shown[0] ?? '') }]);
  });
});

describe('clients diff', () => {
  test('shows field by field what would change, and ends with 2; with 0 if nothing would', async () => {
    await apply(yaml(shop, spa));
    const changed = { ...shop, name: 'Shop', scopes: ['openid', 'email'], graceSeconds: 5 };
    await place.write('next.yaml', yaml(changed, { ...spa, enabled: false }));
    const version = await store.version();
    const diff = await clients('diff', '-f', 'next.yaml');
    expect(diff).toEqual({
      code: 2,
      stderr: '',
      stdout: [
        '~ shop: would change',
        '    name: "The Shop" → "Shop"',
        '    scopes: + "email"',
        '    scopes: - "contracts:read"',
        '    graceSeconds: not set → 5',
        '~ spa: would change',
        '    enabled: not set → false',
        '    everything it was issued ends',
        '0 unchanged.',
        '',
      ].join('\n'),
    });
    const json = await clients('diff', '-f', 'next.yaml', '--json');
    expect([json.code, json.stderr]).toEqual([2, '']);
    expect(JSON.parse(json.stdout).changes[0].fields).toContainEqual({
      field: 'name',
      before: 'The Shop',
      after: 'Shop',
    });
    expect(await store.version()).toBe(version);
    expect(await clients('diff', '-f', 'clients.yaml')).toMatchObject({ code: 0 });
  });

  test('never shows a digest of a secret', async () => {
    const [one, two] = ['a'.repeat(64), 'b'.repeat(64)];
    await apply(yaml({ ...shop, secrets: [{ sha256: one }] }));
    await place.write('next.yaml', yaml({ ...shop, secrets: [{ sha256: two }, { ref: 'env:SHOP' }] }));
    for (const flags of [[], ['--json']]) {
      const { code, stdout } = await clients('diff', '-f', 'next.yaml', ...flags);
      expect(code).toBe(2);
      expect(stdout).toContain('env:SHOP');
      expect(stdout).not.toMatch(/aaaa|bbbb/);
    }
  });
});

describe('clients list and show', () => {
  test('show owner, state and number of secrets, and never a secret or its digest', async () => {
    const secret = secretOf((await apply(yaml(shop, { ...spa, enabled: false }))).stdout);
    await apply(yaml({ ...shop, id: 'named', secrets: [{ sha256: 'c'.repeat(64) }] }), '--owner', 'team');
    await unitOfWork.run(({ announcements }) =>
      announcements.exchange(clientsFileTopic, announcedState(new Map([['in-file', 'digest']]))),
    );
    const listed = await clients('list');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    const lines = listed.stdout.split('\n');
    expect(lines[0]).toMatch(/^ID +NAME +OWNER +AUTH +ENABLED +SECRETS +CHANGED$/);
    expect(lines[1]).toMatch(
      /^named +The Shop +clients apply \(owner team\) +client_secret_basic +yes +1 +20/,
    );
    expect(lines[2]).toMatch(
      /^shop +The Shop +clients apply \(owner default\) +client_secret_basic +yes +1 +20/,
    );
    expect(lines[3]).toMatch(/^spa +Spa +clients apply \(owner default\) +none +no +0 +20/);
    expect(lines[4]).toMatch(/^in-file +the file of the servers/);
    const all = [listed.stdout];
    for (const id of ['shop', 'named'])
      for (const flags of [[], ['--json']]) all.push((await clients('show', id, ...flags)).stdout);
    all.push((await clients('list', '--json')).stdout);
    expect(all[1]).toMatch(/^Owner +clients apply \(owner default\)\n[\s\S]*---\nid: shop\n/);
    expect(JSON.parse(all[4] ?? '')).toMatchObject({
      id: 'named',
      owner: { name: 'team' },
      generatedSecrets: [],
    });
    expect(JSON.parse(all[5] ?? '')).toMatchObject({ inFile: ['in-file'] });
    for (const stdout of all) {
      expect(stdout).not.toContain(secret);
      expect(stdout).not.toContain(digestOf(secret));
      expect(stdout).not.toContain('cccc');
    }
    expect(JSON.parse((await clients('list', '--owner', 'team', '--json')).stdout).clients).toHaveLength(1);
  });

  test('say what is not in the store', async () => {
    const { code, stderr } = await clients('show', 'nobody', '--json');
    expect([code, JSON.parse(stderr).error.code]).toEqual([1, 'not_found']);
  });
});

describe('clients delete', () => {
  test('deletes a client of its owner; another owner is named, and --force deletes it', async () => {
    await put('mine');
    await put('theirs', kubernetes);
    expect(await clients('delete', 'mine')).toEqual({
      code: 0,
      stderr: '',
      stdout: 'mine is deleted. Everything it was issued has ended.\n',
    });
    expect(await clients('delete', 'mine')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no client/),
    });
    const refused = await clients('delete', 'theirs');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/belongs to OIDCClient shop\/web/),
    });
    expect(await clients('delete', 'theirs', '--force', '--json')).toMatchObject({ code: 0 });
    expect(await store.all()).toEqual([]);
  });
});

describe('secrets', () => {
  test('rotate-secret gives a new secret, and the one before ends after the overlap', async () => {
    const first = secretOf((await apply(yaml(shop))).stdout);
    const before = Date.now();
    const rotated = await clients('rotate-secret', 'shop', '--overlap', '30m');
    expect(rotated).toMatchObject({ code: 0, stderr: '' });
    const second = secretOf(rotated.stdout);
    const [old, now] = (await store.find('shop'))?.secrets ?? [];
    expect([old?.sha256, now]).toEqual([digestOf(first), { sha256: digestOf(second) }]);
    const until = Date.parse(old?.notAfter ?? '') - 30 * 60_000;
    expect(until).toBeGreaterThanOrEqual(before - 1000);
    expect(until).toBeLessThanOrEqual(Date.now() + 1000);
    expect(rotated.stdout).toContain(`The secret before it works until ${old?.notAfter}.`);
    // The document is as it was.
    expect(await clients('diff', '-f', 'clients.yaml')).toMatchObject({ code: 0 });

    const third = await clients('rotate-secret', 'shop', '--json');
    expect([third.code, JSON.parse(third.stderr).error.code]).toEqual([1, 'two_secrets']);
    const leaked = await clients('rotate-secret', 'shop', '--overlap', '0', '--json');
    const { secret, generatedSecrets } = JSON.parse(leaked.stdout);
    expect(generatedSecrets).toEqual([{ notAfter: null }]);
    expect((await store.find('shop'))?.secrets).toEqual([{ sha256: digestOf(secret) }]);
  });

  test('new-secret adds one without an end to the first; end-secret ends the first', async () => {
    const first = secretOf((await apply(yaml(shop))).stdout);
    const second = secretOf((await clients('new-secret', 'shop')).stdout);
    const digests = async () => (await store.find('shop'))?.secrets;
    expect(await digests()).toEqual([{ sha256: digestOf(first) }, { sha256: digestOf(second) }]);
    expect(JSON.parse((await clients('end-secret', 'shop', '--json')).stdout)).toMatchObject({ ended: 1 });
    expect(await digests()).toEqual([{ sha256: digestOf(second) }]);
    expect(await clients('end-secret', 'shop')).toMatchObject({ code: 0 });
    expect(await digests()).toEqual([{ sha256: digestOf(second) }]);
  });

  test.each([
    ['a client that uses none', spa, 'uses_no_secret'],
    [
      'a client whose document names them',
      { ...shop, id: 'spa', secrets: [{ ref: 'env:A' }] },
      'named_in_document',
    ],
  ])('are not generated for %s', async (_, document, code) => {
    await apply(yaml(document));
    for (const name of ['rotate-secret', 'new-secret']) {
      const refused = await clients(name, 'spa', '--json');
      expect([refused.code, JSON.parse(refused.stderr).error.code]).toEqual([1, code]);
    }
    expect((await store.find('spa'))?.secrets).toEqual([]);
  });

  test('are refused for another owner, an unknown client, and a bad overlap', async () => {
    await put('theirs', kubernetes);
    for (const name of ['rotate-secret', 'new-secret', 'end-secret']) {
      expect(await clients(name, 'theirs')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/shop\/web/),
      });
      expect(await clients(name, 'nobody')).toMatchObject({ code: 1 });
    }
    expect(await clients('rotate-secret', 'theirs', '--overlap', '1y')).toMatchObject({ code: 64 });
    expect(await clients('rotate-secret', 'theirs', '--overlap', '91d')).toMatchObject({ code: 64 });
  });

  test('a document that begins to name secrets gives the generated one a day', async () => {
    await apply(yaml(shop));
    const { stdout } = await apply(yaml({ ...shop, secrets: [{ ref: 'env:SHOP' }] }));
    const [old] = (await store.find('shop'))?.secrets ?? [];
    expect(stdout).toContain(`a stored secret works until ${old?.notAfter}`);
    expect(Date.parse(old?.notAfter ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  });
});

describe('--secrets-dir', () => {
  const folder = () => join(place.folder, `secrets-${expect.getState().currentTestName?.length}`);
  const apart = (...more: string[]) => apply(yaml(shop), '--secrets-dir', folder(), ...more);
  const names = () => readdir(folder());
  const file = (name = 'shop.secret') => join(folder(), name);
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  test('writes each secret to a file of mode 0600 and shows none', async () => {
    const { code, stdout } = await apart();
    expect([code, stdout]).toEqual([0, expect.stringContaining(`The secret of shop is in ${file()}.`)]);
    const secret = await readFile(file(), 'utf8');
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(stdout).not.toContain(secret);
    expect([await mode(file()), await mode(folder()), await names()]).toEqual([
      '600',
      '700',
      ['shop.secret'],
    ]);
    expect((await store.find('shop'))?.secrets).toEqual([{ sha256: digestOf(secret) }]);

    const rotated = await clients('rotate-secret', 'shop', '--secrets-dir', folder(), '--json');
    expect(JSON.parse(rotated.stdout)).toMatchObject({ client: 'shop', file: file() });
    expect(digestOf(await readFile(file(), 'utf8'))).toBe((await store.find('shop'))?.secrets[1]?.sha256);
  });

  test('keeps a file that holds something else, and writes nothing', async () => {
    await mkdir(folder());
    await writeFile(file(), 'the secret of another installation');
    const refused = await apart('--json');
    expect([refused.code, JSON.parse(refused.stderr).error.code]).toEqual([73, 'exists']);
    expect(await readFile(file(), 'utf8')).toBe('the secret of another installation');
    expect([await store.all(), await names()]).toEqual([[], ['shop.secret']]);
  });

  test('writes nothing to the database if the folder cannot be written', async () => {
    await mkdir(folder());
    await writeFile(file('folder'), 'a file, not a folder');
    const refused = await apply(yaml(shop), '--secrets-dir', file('folder'), '--json');
    expect([refused.code, JSON.parse(refused.stderr).error.code]).toEqual([73, 'unwritable']);
    expect(await store.all()).toEqual([]);
  });

  test('completes what an interrupted run left, and removes what was not stored', async () => {
    await mkdir(folder());
    const pending = (name: string) => file(`.${name}.pending`);
    await put('shop');
    // The process died after the commit and before the file got its name.
    await writeFile(pending('shop.AAAAAAAA'), 'x');
    await writeFile(pending('shop.BBBBBBBB'), 'not stored, but perhaps of a run that is not at its end');
    const { stderr } = await apply(yaml({ ...spa, id: 'shop' }), '--secrets-dir', folder());
    expect(stderr).toContain(`${file()} holds the secret of an earlier run that was interrupted.`);
    expect(await readFile(file(), 'utf8')).toBe('x');
    expect((await names()).sort()).toEqual(['.shop.BBBBBBBB.pending', 'shop.secret']);
    await chmod(pending('shop.BBBBBBBB'), 0o600);
  });

  test('a failed apply leaves no file', async () => {
    await pool.knex.schema.renameTable('client_generations', 'elsewhere');
    try {
      await apply(yaml({ ...spa, id: 'gone' }));
      // The deletion has to revoke, which can't be written.
      const failed = await apart('--prune');
      expect(failed.code).not.toBe(0);
    } finally {
      await pool.knex.schema.renameTable('elsewhere', 'client_generations');
    }
    expect(await names()).toEqual([]);
    expect((await store.all()).map(({ id }) => id)).toEqual(['gone']);
  });
});

describe('clients validate', () => {
  test('--for-apply accepts a client without a secret; the check for a file does not', async () => {
    await place.write('shop.yaml', yaml(shop));
    expect(await clients('validate', '-f', 'shop.yaml')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/needs a secret/),
    });
    expect(await clients('validate', '-f', 'shop.yaml', '--for-apply')).toMatchObject({
      code: 0,
      stdout: 'shop.yaml: 1 client, nothing wrong.\n',
    });
    const input = yaml(spa);
    expect(await place.gatehouse(['clients', 'validate', '-f', '-'], { input })).toMatchObject({
      code: 0,
      stdout: 'standard input: 1 client, nothing wrong.\n',
    });
  });
});
