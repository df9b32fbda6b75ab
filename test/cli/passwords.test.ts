import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { useAccountDatabase } from './account-database.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

const { place, env } = useAccountDatabase();

const digest = (password: string) => createHash('sha1').update(password).digest('hex').toUpperCase();

const build = (...args: string[]) => place().gatehouse(['passwords', 'blocklist', 'build', ...args]);

/** The messages about a new password with this blocklist; empty when the account was created. */
async function create(password: string, blocklist: string): Promise<string> {
  const { code, stderr } = await place().gatehouse(
    ['accounts', 'create', '--email', `${digest(`${password}${blocklist}`)}@example.com`],
    { env: { ...env(), GATEHOUSE_PASSWORD_BLOCKLIST: blocklist }, input: password },
  );
  return code === 0 ? '' : stderr;
}

test('a list that was built refuses its passwords, and those that were seen often enough only', async () => {
  await place().write(
    'breach.txt',
    `${digest('a walk along the river')}:12\r\n${digest('the river along a walk').toLowerCase()}:2\r\n`,
  );
  const built = await build('breach.txt', '--out', 'breach.filter', '--min-count', '10', '--json');
  expect(JSON.parse(built.stdout)).toEqual({ file: 'breach.filter', passwords: 1, bytes: 2 });
  expect(await create('a walk along the river', 'breach.filter')).toMatch(/first to be guessed/);
  expect(await create('the river along a walk', 'breach.filter')).toBe('');
});

test('a list of words in plain text works too, and a file is replaced with --force only', async () => {
  await place().write('words.txt', 'acme corporation 2026\nwelcome to the acme\n');
  expect(await build('words.txt', '--plain', '--out', 'words.filter')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^words.filter holds 2 passwords in 0.0 MB. Name it in GATEHOUSE_PASSWORD_BLOCKLIST.\n$/,
    ),
  });
  const before = await readFile(join(place().folder, 'words.filter'));
  await place().write('more.txt', 'another one of our words\n');
  expect(await build('more.txt', '--plain', '--out', 'words.filter')).toMatchObject({
    code: 73,
    stderr: expect.stringMatching(/words.filter is there already/),
  });
  expect(await readFile(join(place().folder, 'words.filter'))).toEqual(before);
  expect(await create('acme corporation 2026', 'words.filter')).toMatch(/first to be guessed/);
  expect((await build('more.txt', '--plain', '--out', 'words.filter', '--force')).code).toBe(0);
  expect(await create('another one of our words', 'words.filter')).toMatch(/first to be guessed/);
});

test.each([
  ['nothing.txt', undefined, /nothing.txt can't be read \(ENOENT\)/],
  ['empty.txt', '', /empty.txt has no password to use/],
  [
    'plain.txt',
    `${digest('x')}:1\nhunter2 is my password\n`,
    /Line 2 of plain.txt is no SHA-1 digest.*--plain/,
  ],
  ['rare.txt', `${digest('x')}:1\n`, /rare.txt has no password to use/],
])(
  '%s gives an error that names the file, shows no password and leaves no file',
  async (name, text, problem) => {
    if (text !== undefined) await place().write(name, text);
    const { code, stdout, stderr } = await build(name, '--out', `${name}.filter`, '--min-count', '2');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(problem);
    expect(stderr).not.toContain('hunter2');
    await expect(readFile(join(place().folder, `${name}.filter`))).rejects.toThrow(/ENOENT/);
  },
);

test('a new password has 15 characters at least, and a setting can ask for fewer', async () => {
  const create = (address: string, minLength: Record<string, string>) =>
    place().gatehouse(['accounts', 'create', '--email', address], {
      env: { ...env(), ...minLength },
      input: '14 characters!',
    });
  expect(await create('short@example.com', {})).toMatchObject({
    stderr: expect.stringMatching(/at least 15 characters/),
  });
  expect((await create('short@example.com', { GATEHOUSE_PASSWORD_MIN_LENGTH: '14' })).code).toBe(0);
});
