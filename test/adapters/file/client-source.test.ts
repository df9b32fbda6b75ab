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

clientSourceContract('FileClientSource, several YAML documents in one file', async () => {
  const folder = await newFolder();
  const path = join(folder, 'clients.yaml');
  await writeFile(path, 'clients: []\n');
  return {
    source: new FileClientSource({ path, pollMs }),
    put: ([first, ...others]) =>
      writeFile(
        path,
        [[first].filter((one) => one !== undefined), others]
          .map((clients) => stringify({ clients }))
          .join('---\n'),
      ),
    spoil: () => writeFile(path, 'clients: []\n---\nclients: [\n'),
    close: () => rm(folder, { recursive: true }),
  };
});

clientSourceContract('FileClientSource, a folder', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'none.yaml'), 'clients: []\n');
  const names = (count: number) => Array.from({ length: count }, (_, at) => join(folder, `${at}.yml`));
  let written = 0;
  return {
    source: new FileClientSource({ path: folder, pollMs }),
    put: async (documents) => {
      await rm(join(folder, 'spoilt.yaml'), { force: true });
      for (const path of names(written)) await rm(path);
      written = documents.length;
      for (const [at, path] of names(written).entries())
        await writeFile(path, stringify({ clients: [documents[at]] }));
    },
    spoil: () => writeFile(join(folder, 'spoilt.yaml'), 'clients: [\n'),
    close: () => rm(folder, { recursive: true }),
  };
});

describe('a folder of clients', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await newFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  const source = () => new FileClientSource({ path: folder, pollMs });

  test('gives the clients of all its YAML files in the order of their names, and of no other file', async () => {
    await write('b.yml', 'clients: [{id: three}]');
    await write('a.yaml', 'id: one\nname: One\n---\nclients: [{id: two}]\n---\n# the end\n');
    await write('.hidden.yaml', 'clients: [');
    await write('notes.txt', 'clients: [');
    await write('a.yaml.bak', 'clients: [');
    await mkdir(join(folder, 'more.yaml'));
    expect(await source().load()).toEqual([
      { origin: `${join(folder, 'a.yaml')}:1`, value: { id: 'one', name: 'One' } },
      { origin: `${join(folder, 'a.yaml')}:4`, value: { id: 'two' } },
      { origin: `${join(folder, 'b.yml')}:1`, value: { id: 'three' } },
    ]);
  });

  test('lists the problems of all files, and gives what can be read for further checks', async () => {
    await write('a.yaml', 'clients:\n  - id: [a\n');
    await write('b.yaml', '');
    await write('c.yaml', 'clients: [{id: three}]');
    const error = (await source()
      .load()
      .catch((reason: unknown) => reason)) as ClientSourceUnreadable;
    expect(error).toBeInstanceOf(ClientSourceUnreadable);
    expect(error.message.split('\n')).toEqual([
      expect.stringMatching(/a\.yaml:\d+:\d+: not valid YAML/),
      expect.stringMatching(/b\.yaml: must hold one list named "clients"/),
    ]);
    expect(error.readable.map(({ value }) => value)).toEqual([{ id: 'three' }]);
  });

  test('is refused without any YAML file, because a folder that was not mounted has none', async () => {
    await write('notes.txt', 'x');
    await expect(source().load()).rejects.toThrow(`${folder}: there is no .yaml or .yml file in it`);
  });

  test('is refused with more files or bytes than a watcher can read again and again', async () => {
    await write('large.yaml', `# ${'x'.repeat(17 * 1024 * 1024)}\nclients: []`);
    await expect(source().load()).rejects.toThrow(/larger than 16 MiB/);
    await rm(join(folder, 'large.yaml'));
    await Promise.all(Array.from({ length: 2001 }, (_, at) => write(`${at}.yaml`, 'clients: []')));
    await expect(source().load()).rejects.toThrow(/more than 2000 files/);
  });

  test('a mounted ConfigMap gives one version of its files, also when its link is replaced during the read', async () => {
    const files = ['a.yaml', 'b.yaml', 'c.yaml', 'd.yaml'];
    for (const version of ['1', '2']) {
      await mkdir(join(folder, `..${version}`));
      for (const [at, name] of files.entries())
        await writeFile(join(folder, `..${version}`, name), `clients: [{id: c${at}, name: '${version}'}]`);
    }
    await symlink('..1', join(folder, '..data'));
    for (const name of files) await symlink(join('..data', name), join(folder, name));
    let swaps = 0;
    const swap = async () => {
      swaps += 1;
      await symlink(`..${(swaps % 2) + 1}`, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    const seen = new Set<string>();
    for (let turn = 0; turn < 40; turn += 1) {
      const [documents] = await Promise.all([source().load(), swap()]);
      const versions = new Set(documents.map(({ value }) => (value as { name: string }).name));
      expect([documents.length, versions.size]).toEqual([4, 1]);
      seen.add([...versions].join());
    }
    expect(seen.size).toBe(2);
  });

  test('a watcher notices a new file, a removed one, and a replaced link of a ConfigMap', async () => {
    await write('a.yaml', 'clients: [{id: one}]');
    await mkdir(join(folder, '..1'));
    await mkdir(join(folder, '..2'));
    for (const version of ['1', '2'])
      await writeFile(join(folder, `..${version}`, 'm.yaml'), `clients: [{id: mounted-${version}}]`);
    await symlink('..1', join(folder, '..data'));
    const watched = source();
    await watched.load();
    let calls = 0;
    const stop = watched.watch(() => {
      calls += 1;
    });
    const changes = [
      () => symlink(join('..data', 'm.yaml'), join(folder, 'm.yaml')),
      async () => {
        await symlink('..2', join(folder, '..data_tmp'));
        await rename(join(folder, '..data_tmp'), join(folder, '..data'));
      },
      () => rm(join(folder, 'm.yaml')),
    ];
    const ids: unknown[][] = [];
    for (const change of changes) {
      const before = calls;
      await change();
      await waitFor(() => calls > before, { what: 'the callback' });
      ids.push((await watched.load()).map(({ value }) => (value as { id: string }).id));
    }
    expect(ids).toEqual([['one', 'mounted-1'], ['one', 'mounted-2'], ['one']]);
    stop();
  });
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
    ['a second document that is no client', 'clients: []\n---\nname: a\n', /clients\.yaml:3: .*found "name"/],
    ['a list beside a client', 'clients: []\nid: a\n', /found "id"/],
    ['a fault in the second document', 'id: a\n---\nid: [a\n', /clients\.yaml:\d+:\d+: not valid YAML/],
    ['an alias of another document', 'id: &a one\n---\nid: *a\n', /clients\.yaml:3.*not valid YAML/],
    ['only separators', '---\n---\n', /must hold one list named "clients"/],
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
    await expect(loading).rejects.toThrow(`${path}: there is no such file or folder`);
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
