import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { lockFolder } from '../../../adapters/embedded/folder-lock.ts';
import { ConfigurationError } from '../../../provider/lib/errors.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  path = join(folder, 'gatehouse.pid');
});
afterEach(() => rm(folder, { recursive: true }));

/** A pid above the largest one of the kernel. */
const deadPid = 2 ** 22 + 1;

async function outcomes(count: number) {
  const settled = await Promise.allSettled(Array.from({ length: count }, () => lockFolder(folder)));
  const got = settled.filter((one) => one.status === 'fulfilled');
  const refused = settled.filter((one) => one.status === 'rejected').map((one): unknown => one.reason);
  return { got, refused };
}

test('one of 20 parallel calls gets the folder, and another call gets it after the release', async () => {
  const { got, refused } = await outcomes(20);
  expect(got).toHaveLength(1);
  expect(refused.every((error) => error instanceof ConfigurationError)).toBe(true);
  await got[0]?.value.release();
  expect(await readdir(folder)).toEqual([]);
  await (await lockFolder(folder)).release();
});

test.each([`${deadPid} 1\n`, `${deadPid}\n`, '', 'nonsense'])(
  'a stale lock file with the text %j is taken over by one of 20 parallel calls',
  async (holder) => {
    await writeFile(path, holder);
    const { got } = await outcomes(20);
    expect(got).toHaveLength(1);
    expect((await readFile(path, 'utf8')).split(' ')[0]).toBe(String(process.pid));
    await got[0]?.value.release();
    expect(await readdir(folder)).toEqual([]);
  },
);

test('a stale lock is taken over by one call, even if other calls are slow', async () => {
  for (let round = 0; round < 24; round++) {
    await writeFile(path, `${deadPid} 1\n`);
    const late = async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      return lockFolder(folder);
    };
    const settled = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) => late(index * (round % 8))),
    );
    const got = settled.filter((one) => one.status === 'fulfilled');
    expect(got).toHaveLength(1);
    await got[0]?.value.release();
  }
});

test('a lock of an earlier process with the same pid, as in a container, is taken over', async () => {
  await writeFile(path, `${process.pid} 1\n`);
  const { got } = await outcomes(1);
  expect(got).toHaveLength(process.platform === 'linux' ? 1 : 0);
});

test('the error about a lock of a live process names the process and what to do', async () => {
  await writeFile(path, `${process.ppid}\n`);
  const refused = lockFolder(folder);
  await expect(refused).rejects.toThrow(`process ${process.ppid}`);
  await expect(refused).rejects.toThrow(path);
});
