import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generate, generatedFiles } from '../../provider/bin/generate.ts';
import { renderConfigurationDocs } from '../../provider/config/docs.ts';
import { settingList } from '../../provider/config/schema.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';

test('every generated file is up to date; npm run generate updates them', async () => {
  expect(await generate(generatedFiles, packageRoot, true)).toEqual([]);
});

test('the reference has one row for every setting, with its allowed values', () => {
  const rows = renderConfigurationDocs().split('\n');
  for (const { setting } of settingList) {
    const own = rows.filter((row) => row.startsWith(`| \`${setting.name}\` |`));
    expect(own).toHaveLength(1);
    expect(setting.schema.description).toBeTruthy();
    expect(own[0]?.split(/(?<!\\)\|/)).toHaveLength(6);
  }
});

describe('generate', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'gatehouse-generate-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const files = [
    { path: 'docs/a.md', render: () => 'a\n' },
    { path: 'b.json', render: async () => '{}\n' },
  ];

  test('writes missing and outdated files, and names them', async () => {
    await writeFile(join(root, 'b.json'), 'old');
    expect(await generate(files, root, false)).toEqual(['docs/a.md', 'b.json']);
    expect(await readFile(join(root, 'docs/a.md'), 'utf8')).toBe('a\n');
    expect(await readFile(join(root, 'b.json'), 'utf8')).toBe('{}\n');
    expect(await generate(files, root, false)).toEqual([]);
  });

  test('names the same files with check and writes nothing', async () => {
    await writeFile(join(root, 'b.json'), 'old');
    expect(await generate(files, root, true)).toEqual(['docs/a.md', 'b.json']);
    expect(await readFile(join(root, 'b.json'), 'utf8')).toBe('old');
  });
});
