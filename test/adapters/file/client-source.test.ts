import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { FileClientSource } from '../../../adapters/file/client-source.ts';
import { ClientSourceUnreadable } from '../../../provider/ports/client-source.ts';
import { clientSourceContract } from '../../contract/client-source.ts';
import { waitFor } from '../../support/wait-for.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'gatehouse-clients-'));
const pollMs = 10;

clientSourceContract('FileClientSource', async () => {
  const folder = await newFolder();
  const path = join(folder, 'clients.yaml');
  await writeFile(path, 'clients: []\n');
  return {
    source: new FileClientSource({ path, pollMs }),
    put: (clients) => writeFile(path, stringify({ clients })),
    spoil: () => writeFile(path, 'clients: [\n'),
    close: () => rm(folder, { recursive: true }),
  };
});

describe('FileClientSource', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await newFolder();
    path = join(folder, 'clients.yaml');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const load = async (text: string) => {
    await writeFile(path, text);
    return new FileClientSource({ path, pollMs }).load();
  };

  test('gives file and line of each document', async () => {
    const documents = await load('clients:\n  - id: one\n    name: One\n\n  - id: two\n  - just text\n');
    expect(documents).toEqual([
      { origin: `${path}:2`, value: { id: 'one', name: 'One' } },
      { origin: `${path}:5`, value: { id: 'two' } },
      { origin: `${path}:6`, value: 'just text' },
    ]);
  });

  test('resolves anchors across documents', async () => {
    const documents = await load(
      'clients:\n  - id: one\n    scopes: &s [openid]\n  - id: two\n    scopes: *s\n',
    );
    expect(documents[1]?.value).toEqual({ id: 'two', scopes: ['openid'] });
  });

  test('reads times as text', async () => {
    const [document] = await load('clients:\n  - expiresAt: 2030-01-01T00:00:00Z\n');
    expect(document?.value).toEqual({ expiresAt: '2030-01-01T00:00:00Z' });
  });

  const bomb = `clients:\n  - a: &a [x, x, x, x, x, x, x, x, x]\n    b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n    c: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n`;

  test.each([
    ['an unclosed bracket', 'clients:\n  - id: [a\n', /clients\.yaml:\d+:\d+: not valid YAML/],
    ['a duplicate key', 'clients:\n  - id: a\n    id: b\n', /clients\.yaml:3:5: not valid YAML: .*unique/],
    ['a tab as indentation', 'clients:\n\t- id: a\n', /clients\.yaml:2:1: not valid YAML/],
    ['an alias without an anchor', 'clients:\n  - id: *a\n', /clients\.yaml:2/],
    ['aliases that expand exponentially', bomb, /clients\.yaml:2: not valid YAML: .*alias/],
    ['an empty file', '', /must hold one list named "clients"/],
    ['a list without the key `clients`', '- id: a\n', /must hold one list named "clients"/],
    ['the key `clients` without a list', 'clients:\n', /"clients: \[\]" if there are none/],
    ['another key', 'client:\n  - id: a\n', /found "client"/],
    [
      'two documents',
      'clients: []\n---\nclients: []\n',
      /clients\.yaml:2:1: not valid YAML: a second document begins: keep one document/,
    ],
    [
      'a merge key without a map',
      'clients:\n  - <<: text\n',
      /clients\.yaml:2: .*merge key \(<<\) must be a map/,
    ],
    ['a tag', 'clients:\n  - id: !a\n', /clients\.yaml:2:9: .*tag \(!\)/],
  ])('refuses %s and names the place', async (_, text, message) => {
    const loading = load(text);
    await expect(loading).rejects.toBeInstanceOf(ClientSourceUnreadable);
    await expect(loading).rejects.toThrow(message);
  });

  test('supports merge keys (<<), and the markers of one document', async () => {
    const documents = await load(
      '---\nclients:\n  - &base { id: one, scopes: [openid], name: One }\n  - <<: *base\n    id: two\n...\n',
    );
    expect(documents[1]?.value).toEqual({ id: 'two', scopes: ['openid'], name: 'One' });
  });

  test.each([
    ['text after a quote', '  - id: bad\n    name: "x" y\n', 4, ['one', 'two']],
    ['an alias without an anchor', '  - id: bad\n    name: *nothing\n', 3, ['one', 'two']],
    ['a duplicate key', '  - id: bad\n    id: worse\n', 4, ['one', 'two']],
    ['bad indentation', '  - id: bad\n   name: x\n', 4, ['one', 'two']],
    ['an unclosed bracket', '  - { id: bad, name: x\n', 4, ['one']],
  ])(
    'if one entry has %s, the other entries are still returned for checks',
    async (_, bad, line, readable) => {
      const loading = load(`clients:\n  - id: one\n${bad}  - id: two\n`);
      const error = (await loading.catch((reason: unknown) => reason)) as ClientSourceUnreadable;
      expect(error).toBeInstanceOf(ClientSourceUnreadable);
      expect(error.message).toMatch(
        new RegExp(`^[^\n]*clients\\.yaml:${line}[:\\d]*: not valid YAML: [^\n]*$`),
      );
      const ids = error.readable.map(({ value }) => (value as { id: string }).id);
      expect(ids).toEqual(readable);
    },
  );

  test.each([
    '*hunter2',
    '!hunter2',
    '@hunter2',
    '"x" hunter2',
    'hunter2: x',
    '&hunter2 "x" y',
    '`hunter2',
    '[hunter2',
  ])('does not repeat text of the file, because it may be a secret: %s', async (text) => {
    const loading = load(`clients:\n  - id: one\n    secrets: [{ ref: ${text} }]\n    name: ${text}\n`);
    await expect(loading).rejects.toBeInstanceOf(ClientSourceUnreadable);
    await expect(loading).rejects.not.toThrow(/hunter2/);
  });

  test('reports that the file is missing', async () => {
    const loading = new FileClientSource({ path, pollMs }).load();
    await expect(loading).rejects.toBeInstanceOf(ClientSourceUnreadable);
    await expect(loading).rejects.toThrow(`${path}: there is no such file`);
  });

  test.each([
    [
      'an edit in place that keeps the size',
      async () => {
        await writeFile(path, 'clients: [{id: one}]');
        return () => writeFile(path, 'clients: [{id: two}]');
      },
    ],
    [
      'an atomic rename',
      async () => {
        await writeFile(path, 'clients: [{id: one}]');
        await writeFile(`${path}.new`, 'clients: [{id: two}]');
        return () => rename(`${path}.new`, path);
      },
    ],
    [
      'an update of a ConfigMap, which replaces a link',
      async () => {
        for (const id of ['one', 'two']) {
          await mkdir(join(folder, `..${id}`));
          await writeFile(join(folder, `..${id}`, 'clients.yaml'), `clients: [{id: ${id}}]`);
        }
        await symlink('..one', join(folder, '..data'));
        await symlink(join('..data', 'clients.yaml'), path);
        await symlink('..two', join(folder, '..data_tmp'));
        return () => rename(join(folder, '..data_tmp'), join(folder, '..data'));
      },
    ],
    ['a new file where none was before', async () => () => writeFile(path, 'clients: [{id: two}]')],
  ])('notices %s', async (_, prepare) => {
    const change = await prepare();
    const source = new FileClientSource({ path, pollMs });
    await source.load().catch(() => undefined);
    let calls = 0;
    const stop = source.watch(() => {
      calls += 1;
    });
    await change();
    await waitFor(() => calls > 0, { what: 'the callback' });
    expect((await source.load()).map(({ value }) => value)).toEqual([{ id: 'two' }]);
    stop();
  });

  test('reports a change between the load and the start of the watch', async () => {
    await writeFile(path, 'clients: [{id: one}]');
    const source = new FileClientSource({ path, pollMs });
    await source.load();
    await writeFile(path, 'clients: [{id: two}]');
    let calls = 0;
    const stop = source.watch(() => {
      calls += 1;
    });
    await waitFor(() => calls > 0, { what: 'the callback' });
    stop();
  });

  test('reports a change back to an earlier version', async () => {
    await writeFile(path, 'clients: [{id: one}]');
    const source = new FileClientSource({ path, pollMs: 50 });
    await source.load();
    let calls = 0;
    const stop = source.watch(() => {
      calls += 1;
    });
    await writeFile(path, 'clients: []');
    await source.load();
    await writeFile(path, 'clients: [{id: one}]');
    await waitFor(() => calls > 0, { what: 'the callback' });
    stop();
  });
});
