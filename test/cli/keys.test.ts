import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { serializeKeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet, rotate } from '../../provider/keys/rotation.ts';
import { createTestDatabase } from '../support/databases.ts';
import { testServerSecret } from '../support/secrets.ts';
import { createWorkplace, type Ended, type Workplace } from './command.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

const leadSeconds = 10_800;
let place: Workplace;
beforeAll(async () => {
  place = await createWorkplace();
});
afterAll(() => place?.remove());

interface ListedKey {
  kid: string;
  state: string;
  published: boolean;
  signsFrom: string;
  retiredAt: string | null;
}
const documentOf = ({ stdout }: Ended) => JSON.parse(stdout) as { outcome: string; keys: ListedKey[] };

/** Returns functions that run key commands on a new key file. */
function keysIn(file: string) {
  const env = { GATEHOUSE_KEYS: `file:${file}` };
  const run = (...args: string[]) => place.gatehouse(['keys', ...args], { env });
  return {
    run,
    text: () => readFile(join(place.folder, file), 'utf8'),
    list: async () => documentOf(await run('list', '--json')).keys,
  };
}

describe('gatehouse keys rotate', () => {
  test('adds a key that signs after the lead time, and a dry run adds none', async () => {
    const { run, text, list } = keysIn('rotate.json');
    await run('create');
    const before = await text();
    const dry = documentOf(await run('rotate', '--dry-run', '--json'));
    expect(dry).toMatchObject({
      dryRun: true,
      outcome: 'rotated',
      keys: [{ state: 'signing' }, { state: 'next' }],
    });
    expect(await text()).toBe(before);
    const rotation = await run('rotate', '--json');
    expect(rotation.code).toBe(0);
    const [old, next] = await list();
    expect(documentOf(rotation).keys).toEqual([old, next]);
    expect(old?.retiredAt).toBe(next?.signsFrom);
    const lead = Date.parse(next?.signsFrom ?? '') - Date.parse(old?.signsFrom ?? '');
    expect(lead).toBeGreaterThanOrEqual(leadSeconds * 1000);
  });

  test('says what to do if there is no key set yet', async () => {
    const { run } = keysIn('none.json');
    expect(await run('rotate')).toMatchObject({ code: 1, stderr: expect.stringContaining('no key set yet') });
  });

  test('shows no private part of a key in any output', async () => {
    const { run, text } = keysIn('private.json');
    await run('create');
    const outputs = [
      await run('rotate', '--json'),
      await run('list', '--json'),
      await run('export', '--public'),
      await run('retire', 'unknown', '--now', '--json'),
    ];
    const { keys } = JSON.parse(await text()) as { keys: { privateJwk: Record<string, string> }[] };
    expect(keys).toHaveLength(2);
    for (const { privateJwk } of keys)
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi'])
        for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toContain(privateJwk[name]);
  });
});

describe('gatehouse keys retire', () => {
  test('withdraws the next key, and the signing key goes on', async () => {
    const { run, list } = keysIn('retire.json');
    await run('create');
    await run('rotate');
    const next = (await list())[1]?.kid ?? '';
    expect(documentOf(await run('retire', '--json', '--', next)).outcome).toBe('withdrawn');
    expect((await list()).map(({ state, published, retiredAt }) => [state, published, retiredAt])).toEqual([
      ['signing', true, null],
      ['retired', true, expect.any(String)],
    ]);
  });

  test('with --now, removes the key at once and warns that a new key is not known to API Gateway yet', async () => {
    const { run, list, text } = keysIn('leaked.json');
    await run('create');
    const leaked = (await list())[0]?.kid ?? '';
    const before = await text();
    const dry = await run('retire', '--now', '--dry-run', '--', leaked);
    expect(dry.stdout).toMatch(/^A dry run, nothing was written\. .*up to 2 hours/);
    expect(await text()).toBe(before);
    const ended = await run('retire', '--now', '--', leaked);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('up to 2 hours') });
    expect(await list()).toMatchObject([{ state: 'signing' }]);
    expect(await text()).not.toContain(leaked);
  });

  test('with --now, takes a key that is published for the lead time without a warning', async () => {
    const now = Date.now();
    const [first, second] = [await generateKey(), await generateKey()];
    const early = now - leadSeconds * 1000 - 1000;
    const set = rotate(firstKeySet(first, early), second, early, 2 * leadSeconds);
    await place.write('warm-set.json', serializeKeySet(set));
    const { run, list } = keysIn('warm.json');
    await importFile('warm-set.json', run);
    const ended = await run('retire', '--now', '--', first.kid);
    expect(ended.stdout).toContain(`Key ${second.kid} signs now.`);
    expect(ended.stdout).not.toContain('2 hours');
    expect(await list()).toMatchObject([{ kid: second.kid, state: 'signing' }]);
  });

  test('names an unknown key', async () => {
    const { run } = keysIn('unknown.json');
    await run('create');
    expect(await run('retire', 'no-such-key')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no key no-such-key'),
    });
  });
});

/** Imports a file after it was made readable for its owner only. */
async function importFile(file: string, run: (...args: string[]) => Promise<Ended>): Promise<void> {
  await chmod(join(place.folder, file), 0o600);
  const ended = await run('import', file);
  if (ended.code !== 0) throw new Error(ended.stderr);
}

describe('gatehouse keys import and export', () => {
  test('moves a key set to another store, and export prints what the servers publish', async () => {
    const from = keysIn('from.json');
    await from.run('create');
    await from.run('rotate');
    const to = keysIn('to.json');
    await to.run('import', 'from.json', '--dry-run');
    await expect(to.text()).rejects.toThrow('ENOENT');
    expect((await to.run('import', 'from.json')).code).toBe(0);
    expect(JSON.parse(await to.text())).toEqual(JSON.parse(await from.text()));
    const { stdout } = await to.run('export', '--public');
    const kids = (await to.list()).map(({ kid }) => kid);
    const { keys } = JSON.parse(stdout) as { keys: Record<string, string>[] };
    expect(keys.map(({ kid }) => kid)).toEqual(kids);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  test('adds one JWK after the lead time, and refuses to mix two sets', async () => {
    const { run, list } = keysIn('mixed.json');
    await run('create');
    const { kid, privateJwk } = await generateKey();
    await place.write('jwk.json', JSON.stringify({ ...privateJwk, kid }));
    await importFile('jwk.json', run);
    expect(await list()).toMatchObject([{ state: 'signing' }, { kid, state: 'next' }]);
    expect(documentOf(await run('import', 'jwk.json', '--json')).outcome).toBe('unchanged');
    expect(await run('import', 'mixed.json')).toMatchObject({
      code: 73,
      stderr: expect.stringContaining('only one key can be added'),
    });
  });

  test('refuses a key file that others may read', async () => {
    const { run } = keysIn('open-import.json');
    await place.write('open.json', '{}');
    expect(await run('import', 'open.json')).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('chmod 600'),
    });
  });

  test('export wants --public', async () => {
    expect(await keysIn('any.json').run('export')).toMatchObject({ code: 64 });
  });
});

test('the commands work on keys in Postgres, after the schema is there', async () => {
  const database = await createTestDatabase();
  try {
    const env = {
      GATEHOUSE_DATABASE_URL: database.url,
      GATEHOUSE_KEYS: 'postgres:',
      GATEHOUSE_KEYS_SECRET: 'env:KEYS_SECRET',
      KEYS_SECRET: testServerSecret,
    };
    expect(await place.gatehouse(['keys', 'create'], { env })).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('gatehouse migrate'),
    });
    await place.gatehouse(['migrate'], { env });
    for (const args of [['create'], ['rotate'], ['list']])
      expect(await place.gatehouse(['keys', ...args], { env })).toMatchObject({ code: 0 });
    const list = documentOf(await place.gatehouse(['keys', 'list', '--json'], { env }));
    expect(list.keys.map(({ state }) => state)).toEqual(['signing', 'next']);
  } finally {
    await database.drop();
  }
});
