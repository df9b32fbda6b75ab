import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { describeFailure } from '../../provider/bin/cli/describe-failure.ts';
import { createProgram } from '../../provider/bin/cli/program.ts';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { createWorkplace, type Workplace } from './command.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

/** The failure for wrong arguments. */
async function failureOf(args: string[]) {
  const parsing = createProgram({ json: true }).parseAsync(args, { from: 'user' });
  return describeFailure(
    await parsing.then(
      () => 'it was right',
      (error: unknown) => error,
    ),
  );
}

describe('wrong usage', () => {
  test.each([
    ['an unknown command', ['accuonts'], /Did you mean accounts\?/],
    ['an unknown command of a group', ['accounts', 'shwo'], /Did you mean show\?/],
    ['a group without a command', ['accounts'], /--help/],
    ['nothing', [], /--help/],
    ['an unknown option', ['accounts', 'list', '--limt', '3'], /Did you mean --limit\?/],
    ['a missing option', ['accounts', 'create'], /--email/],
    ['a missing argument', ['accounts', 'show'], /account/],
    ['an extra argument', ['accounts', 'set-password', 'ann@example.com', 'hunter2'], /too many arguments/],
    ['a bad value', ['accounts', 'list', '--limit', '0'], /from 1 to 1000/],
    ['a bad choice', ['completion', 'fish'], /bash, zsh/],
    [
      'a password as an option',
      ['accounts', 'set-password', 'ann@example.com', '--password=hunter2'],
      /--password'/,
    ],
    ['roles together with --none', ['accounts', 'set-roles', 'a@b', 'CLIENT', '--none'], /not both/],
    ['neither roles nor --none', ['accounts', 'set-roles', 'a@b'], /--none/],
    ['sessions end without a choice', ['sessions', 'end', 'a@b'], /--session .*--client, or --all/],
    [
      'tokens revoke with two options',
      ['tokens', 'revoke', '--id', 'a'.repeat(21), '--client', 'b'],
      /one of/,
    ],
    ['tokens revoke with an invalid id', ['tokens', 'revoke', '--id', 'short'], /--id/],
    ['tokens revoke with an invalid family', ['tokens', 'revoke', '--family', 'fam_x'], /--family/],
    ['tokens revoke with an empty client', ['tokens', 'revoke', '--client', ''], /--client/],
    ['a token as an argument', ['tokens', 'revoke', 'eyJhunter2'], /too many arguments/],
    ['sessions end with two options', ['sessions', 'end', 'a@b', '--all', '--client', 'shop'], /one of/],
  ])('%s is reported', async (_, args, message) => {
    const failure = await failureOf(args);
    expect(failure).toMatchObject({
      ending: 'usage',
      code: 'usage',
      message: expect.stringMatching(message),
    });
    expect(failure.message).not.toMatch(/hunter2|\n/);
  });

  test('an unreachable store is reported with the reason and without its password', () => {
    const cause = new Error('connect ECONNREFUSED postgres://gatehouse:hunter2@db:5432/x');
    const failure = describeFailure(new StoreUnavailable('postgres', cause));
    expect(failure).toMatchObject({ ending: 'unavailable', code: 'store_unavailable' });
    expect(failure.message).toMatch(/ECONNREFUSED/);
    expect(failure.message).not.toMatch(/hunter2/);
  });
});

describe('the program', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await createWorkplace();
  });
  afterAll(() => place.remove());

  test.each([
    ['version', 0, /^gatehouse \d+\.\d+\.\d+ \(Node \d+\./, /^$/],
    ['-V', 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    ['accounts list --help', 0, /Examples:\n {2}gatehouse accounts list/, /^$/],
    ['accounts', 64, /^$/, /Commands:/],
    [
      'accounts lits',
      64,
      /^$/,
      /^gatehouse: unknown command 'lits' \(Did you mean list\?\)\. Run it with --help/,
    ],
    ['accounts list', 78, /^$/, /^gatehouse: There is no database: GATEHOUSE_DATABASE_URL is not set/],
    ['keys list', 1, /^$/, /^gatehouse: There is no key set in file:\.gatehouse\/keys\.json yet/],
  ])('%s ends with exit code %d', async (line, code, stdout, stderr) => {
    const ended = await place.gatehouse(line.split(' '));
    expect(ended).toEqual({
      code,
      stdout: expect.stringMatching(stdout),
      stderr: expect.stringMatching(stderr),
    });
  });

  test.each([
    ['accounts lits', 64, 'usage'],
    ['migrate', 78, 'configuration'],
    ['serve', 78, 'configuration'],
  ])('%s --json ends with exit code %d and one error document', async (line, code, errorCode) => {
    const ended = await place.gatehouse([...line.split(' '), '--json']);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(JSON.parse(ended.stderr)).toEqual({
      error: expect.objectContaining({ code: errorCode, message: expect.stringMatching(/\S/) }),
    });
  });

  test('ends with exit code 69 if the database is unreachable, and names its address', async () => {
    const env = { GATEHOUSE_DATABASE_URL: 'postgres://gatehouse:hunter2@127.0.0.1:9/none' };
    const ended = await place.gatehouse(['accounts', 'list'], { env });
    expect(ended).toMatchObject({ code: 69, stdout: '', stderr: expect.stringMatching(/127\.0\.0\.1:9/) });
    expect(ended.stderr).not.toContain('hunter2');
  });

  test('creates no folder for a command that only reads', async () => {
    await place.gatehouse(['accounts', 'list']);
    const env = { GATEHOUSE_DATA_FOLDER: 'elsewhere' };
    await place.gatehouse(['keys', 'list'], { env });
    expect(await readdir(place.folder)).toEqual([]);
  });

  test('prints one document for version --json', async () => {
    const { stdout } = await place.gatehouse(['version', '--json']);
    expect(JSON.parse(stdout)).toEqual({ version: expect.any(String), node: process.versions.node });
  });
});
