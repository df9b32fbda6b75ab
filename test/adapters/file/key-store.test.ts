import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FileKeyStore } from '../../../adapters/file/key-store.ts';
import { ConfigurationError } from '../../../provider/lib/errors.ts';
import { packageRoot } from '../../../provider/lib/package-root.ts';
import { keyStoreContract } from '../../contract/key-store.ts';

const run = promisify(execFile);
const newFolder = () => mkdtemp(join(tmpdir(), 'gatehouse-keys-'));

keyStoreContract('FileKeyStore', async () => {
  const folder = await newFolder();
  let places = 0;
  return {
    newPlace: async () => {
      places += 1;
      const path = join(folder, `${places}`, 'keys.json');
      return { connect: () => new FileKeyStore({ path }) };
    },
    close: () => rm(folder, { recursive: true }),
  };
});

describe('FileKeyStore', () => {
  let folder: string;
  let path: string;

  beforeAll(async () => {
    folder = await newFolder();
    path = join(folder, 'keys.json');
    await new FileKeyStore({ path }).save('first', undefined);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const versionAt = async (at: string) => (await new FileKeyStore({ path: at }).load())?.version;

  test('writes the file and every replacement with a mode that only the owner can read', async () => {
    const own = join(folder, 'mode.json');
    const store = new FileKeyStore({ path: own });
    await store.save('one', undefined);
    expect((await stat(own)).mode & 0o777).toBe(0o600);
    await store.save('two', await versionAt(own));
    expect((await stat(own)).mode & 0o777).toBe(0o600);
  });

  test('leaves no other file behind, whether the save succeeds or not', async () => {
    const own = join(await mkdtemp(join(folder, 'clean-')), 'keys.json');
    const store = new FileKeyStore({ path: own });
    await store.save('one', undefined);
    await store.save('lost', undefined);
    await store.save('two', await versionAt(own));
    await store.save('lost', 'an old version');
    expect(await readdir(join(own, '..'))).toEqual(['keys.json']);
  });

  test.each([0o640, 0o604, 0o660])('refuses a file that others may read (mode %o)', async (mode) => {
    const own = join(folder, `open-${mode}.json`);
    await writeFile(own, 'private');
    await chmod(own, mode);
    const load = new FileKeyStore({ path: own }).load();
    await expect(load).rejects.toThrow(ConfigurationError);
    await expect(load).rejects.toThrow(`chmod 600 ${own}`);
  });

  test('accepts a link to such a file, as in Kubernetes mounts of secrets', async () => {
    const target = join(folder, 'mounted.json');
    await writeFile(target, 'private');
    await chmod(target, 0o644);
    await symlink(target, join(folder, 'link.json'));
    expect((await new FileKeyStore({ path: join(folder, 'link.json') }).load())?.value).toBe('private');
  });

  test('explains the error for a path that is a folder', async () => {
    await expect(new FileKeyStore({ path: folder }).load()).rejects.toThrow(/EISDIR.*check the path/);
  });

  test('takes over the lock of a dead process', async () => {
    const own = join(folder, 'locked.json');
    await new FileKeyStore({ path: own }).save('one', undefined);
    await writeFile(`${own}.lock`, 'left behind');
    const expected = await versionAt(own);
    const saves = [1, 2, 3, 4].map((racer) =>
      new FileKeyStore({ path: own, staleLockMs: 60 }).save(`by ${racer}`, expected),
    );
    expect((await Promise.all(saves)).filter(Boolean)).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.startsWith('locked.json.'))).toEqual([]);
  });

  test('waits for a lock that is in use', async () => {
    const own = join(folder, 'busy.json');
    await new FileKeyStore({ path: own }).save('one', undefined);
    await writeFile(`${own}.lock`, 'somebody');
    let done = false;
    const saving = new FileKeyStore({ path: own }).save('two', await versionAt(own)).finally(() => {
      done = true;
    });
    expect(await readFile(own, 'utf8')).toBe('one');
    expect(done).toBe(false);
    await rm(`${own}.lock`);
    expect(await saving).toBe(true);
  });

  const inProcesses = async (own: string, expected: string | undefined) => {
    const program = `
      const { FileKeyStore } = await import('./adapters/file/key-store.ts');
      const store = new FileKeyStore({ path: process.argv[1] });
      const saves = Array.from({ length: 10 }, (_, index) =>
        store.save(process.pid + '/' + index, process.argv[2]));
      console.log((await Promise.all(saves)).filter(Boolean).length);`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', program, own];
    const processes = Array.from({ length: 4 }, () =>
      run(process.execPath, expected === undefined ? args : [...args, expected], { cwd: packageRoot }),
    );
    const won = (await Promise.all(processes)).map(({ stdout }) => Number(stdout));
    return won.reduce((sum, wins) => sum + wins, 0);
  };

  test('accepts exactly one of parallel saves in four processes, for the first value and for the next', async () => {
    const own = join(folder, 'processes.json');
    expect(await inProcesses(own, undefined)).toBe(1);
    expect(await inProcesses(own, await versionAt(own))).toBe(1);
  });
});
