import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFileSecrets } from '../../adapters/file/secrets.ts';
import { settingList } from '../../provider/config/schema.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('secrets from files', () => {
  test('are read without one line break at the end, and otherwise unchanged', async () => {
    const secrets = createFileSecrets({ env: {} });
    for (const [written, read] of [
      ['pass word\n', 'pass word'],
      ['pass word\r\n', 'pass word'],
      [' a\n\n', ' a\n'],
    ] as const) {
      await writeFile(join(folder, 'secret'), written, { mode: 0o600 });
      expect(await secrets.resolve(`file:${join(folder, 'secret')}`)).toBe(read);
    }
  });

  test('cause an error with the path if the file is missing', async () => {
    const reference = `file:${join(folder, 'none')}`;
    await expect(createFileSecrets({ env: {} }).resolve(reference)).rejects.toThrow(
      `The secret ${reference} can't be read (ENOENT).`,
    );
  });

  test.each([0o640, 0o604, 0o660])('one that others may read is refused (mode %o)', async (mode) => {
    const path = join(folder, 'open');
    await writeFile(path, 'hunter2');
    await chmod(path, mode);
    const reading = createFileSecrets({ env: {} }).resolve(`file:${path}`);
    await expect(reading).rejects.toThrow(`chmod 600 ${path}`);
    await expect(reading).rejects.not.toThrow('hunter2');
  });

  test('a link to one is accepted, as Kubernetes mounts secrets', async () => {
    await writeFile(join(folder, 'mounted'), 'hunter2');
    await chmod(join(folder, 'mounted'), 0o644);
    await symlink(join(folder, 'mounted'), join(folder, 'link'));
    expect(await createFileSecrets({ env: {} }).resolve(`file:${join(folder, 'link')}`)).toBe('hunter2');
  });

  test('cause an error if the file is empty', async () => {
    await writeFile(join(folder, 'secret'), '\n', { mode: 0o600 });
    const secrets = createFileSecrets({ env: {} });
    await expect(secrets.resolve(`file:${join(folder, 'secret')}`)).rejects.toThrow('is empty');
  });
});

describe('secrets from the environment', () => {
  const secrets = createFileSecrets({ env: { DB_PASSWORD: 'hunter2', EMPTY: '' } });

  test('are read from the named variable', async () => {
    expect(await secrets.resolve('env:DB_PASSWORD')).toBe('hunter2');
  });

  test.each([
    ['env:NO_SUCH', 'NO_SUCH is not set'],
    ['env:EMPTY', 'env:EMPTY is empty'],
    ['env:', 'named by file:/path/of/the/file, env:'],
  ])('cause an error for %s', async (reference, reason) => {
    await expect(secrets.resolve(reference)).rejects.toThrow(reason);
  });
});

test.each(['hunter2', 'vault:hunter2', 'secretsmanager:#hunter2', 'secretsmanager:hunter2#'])(
  'cause an error without the text for another reference: %s',
  async (reference) => {
    const answer = createFileSecrets({ env: {} }).resolve(reference);
    await expect(answer).rejects.toThrow(/^((?!hunter2).)*file:\/path.*env:((?!hunter2).)*$/);
  },
);

const references = settingList.filter(({ key, setting }) => setting.reference && key !== 'keys');

test.each(references)('$setting.name takes a reference of every kind, and no secret', ({ setting }) => {
  for (const reference of ['file:/run/secrets/a', 'env:A', 'secretsmanager:a/b', 'secretsmanager:a/b#key'])
    expect(setting.schema.safeParse(reference).success).toBe(true);
  for (const text of [
    'hunter2',
    'file:',
    'env:1',
    'secretsmanager:',
    'secretsmanager:a b',
    'secretsmanager:#key',
  ])
    expect(setting.schema.safeParse(text).success).toBe(false);
});

test('there are settings that take a reference', () => {
  expect(references.length).toBeGreaterThanOrEqual(4);
});
