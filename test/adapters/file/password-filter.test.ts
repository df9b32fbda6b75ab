import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPasswordFilter } from '../../../adapters/file/password-filter.ts';
import { ConfigurationError } from '../../../provider/lib/errors.ts';
import {
  breachDigest,
  filterPositions,
  filterSize,
  writeFilterHeader,
} from '../../../provider/lib/password-filter.ts';
import {
  keptWarnings,
  knownPasswords,
  passwordBlocklistContract,
} from '../../contract/password-blocklist.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-filter-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeFilter(name: string, passwords: readonly string[]): Promise<string> {
  const header = filterSize(passwords.length);
  const bits = Buffer.alloc(header.bits / 8);
  for (const password of passwords)
    for (const position of filterPositions(breachDigest(password), header.bits))
      bits[position >> 3] = (bits[position >> 3] ?? 0) | (1 << (position & 7));
  const path = join(folder, name);
  await writeFile(path, Buffer.concat([writeFilterHeader(header), bits]));
  return path;
}

passwordBlocklistContract('openPasswordFilter', async () => {
  const path = await writeFilter('contract', knownPasswords);
  const { logger, logged } = keptWarnings();
  const list = await openPasswordFilter(path, { logger });
  return { list, logged, spoil: () => truncate(path, 20), close: async () => {} };
});

test('a filter refuses few passwords that it does not have', async () => {
  const number = 20_000;
  const path = await writeFilter(
    'many',
    Array.from({ length: number }, (_, index) => `in the list ${index}`),
  );
  const { has } = await openPasswordFilter(path, keptWarnings());
  let wrong = 0;
  for (let index = 0; index < number; index++) if (await has(`not in the list ${index}`)) wrong += 1;
  // One in 1,300 is expected.
  expect(wrong).toBeLessThan(number / 500);
  expect(await has('in the list 0')).toBe(true);
  expect(await has(`in the list ${number - 1}`)).toBe(true);
});

test.each([
  ['is missing', async () => join(folder, 'nothing'), /can't be read \(ENOENT\)/],
  [
    'is a list of passwords',
    async () => {
      const path = join(folder, 'plain');
      await writeFile(path, 'correct horse battery\n'.repeat(10));
      return path;
    },
    /no blocklist. Make one with gatehouse passwords blocklist build/,
  ],
  [
    'is not complete',
    async () => {
      const path = await writeFilter('short', ['one', 'two', 'three']);
      await truncate(path, 35);
      return path;
    },
    /not complete/,
  ],
])('a file that %s stops the start with the setting and the reason', async (_, make, problem) => {
  const opened = openPasswordFilter(await make(), keptWarnings());
  await expect(opened).rejects.toThrow(ConfigurationError);
  await expect(opened).rejects.toThrow(/GATEHOUSE_PASSWORD_BLOCKLIST names \//);
  await expect(opened).rejects.toThrow(problem);
});
