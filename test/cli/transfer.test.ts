import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { useAccountDatabase } from './account-database.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

const database = useAccountDatabase();
const serverSecret = 'a-secret-for-tests-of-the-export-00';
const bcrypt = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

const accounts = (args: string[], input = '') => database.place().gatehouse(['accounts', ...args], { input });
const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

describe('accounts import', () => {
  test('imports good lines, reports bad ones with their line numbers, and ends with exit code 1', async () => {
    const file = lines(
      { email: 'one@example.com', passwordHash: bcrypt, roles: ['CLIENT'] },
      { email: 'two@example.com', roles: ['CLEINT'] },
      { email: 'three@example.com', disabled: true },
    );
    await database.place().write('some.jsonl', file);
    const dry = await accounts(['import', 'some.jsonl', '--dry-run']);
    expect(dry).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/nothing was written.* 2 imported.* 1 failed/s),
    });
    expect(await database.store().findByEmail('one@example.com')).toBeUndefined();
    const ended = await accounts(['import', 'some.jsonl', '--json']);
    expect(ended.code).toBe(1);
    expect(
      ended.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        type: 'problem',
        line: 2,
        field: '/roles/0',
        message: expect.stringContaining('Did you mean CLIENT?'),
      },
      { type: 'summary', dryRun: false, lines: 3, imported: 2, updated: 0, unchanged: 0, failed: 1 },
    ]);
    expect(JSON.parse(ended.stderr).error.code).toBe('lines_failed');
    const one = await database.store().findByEmail('one@example.com');
    expect(one).toMatchObject({ passwordHash: bcrypt, roles: ['CLIENT'] });
    expect(await database.store().findByEmail('three@example.com')).toMatchObject({ state: 'disabled' });
    expect(ended.stdout + ended.stderr + dry.stdout + dry.stderr).not.toContain(bcrypt);
  });

  test('reads standard input, and changes existing accounts only with --update', async () => {
    const { id, email } = await database.add({ roles: ['CLIENT'] });
    const line = lines({ email, roles: ['ADMIN'] });
    expect(await accounts(['import', '-'], line)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('1 failed'),
    });
    expect(await accounts(['import', '-', '--update'], line)).toEqual({
      code: 0,
      stdout: '1 lines: 0 imported, 1 updated, 0 unchanged, 0 failed.\n',
      stderr: '',
    });
    expect(await database.store().findById(id)).toMatchObject({ roles: ['ADMIN'] });
  });

  test('reads the parameters of a Firebase project from a file, in the format of the console', async () => {
    // The console's sample project, from github.com/firebase/scrypt: the password is user1password.
    const parameters = `hash_config {
      algorithm: SCRYPT,
      base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
      base64_salt_separator: Bw==,
      rounds: 8,
      mem_cost: 14,
    }`;
    await database.place().write('firebase.txt', parameters);
    await database.place().write('lacking.txt', parameters.replace(/rounds.*/, ''));
    const hash = 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==';
    const line = lines({
      email: 'fire@example.com',
      firebase: { passwordHash: hash, salt: '42xEC+ixf3L2lw==' },
    });
    expect(await accounts(['import', '-', '--firebase', 'firebase.txt'], line)).toMatchObject({ code: 0 });
    const account = await database.store().findByEmail('fire@example.com');
    expect(account?.passwordHash).toMatch(/^\$firebase-scrypt\$/);
    const lacking = await accounts(['import', '-', '--firebase', 'lacking.txt'], line);
    expect(lacking).toMatchObject({ code: 78, stderr: expect.stringContaining('lacking.txt lacks rounds') });
    expect(lacking.stderr).not.toContain('jxspr8Ki');
  });

  test('ends with exit code 1 if the file does not exist', async () => {
    const ended = await accounts(['import', 'nowhere.jsonl']);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('nowhere.jsonl') });
  });
});

describe('accounts export', () => {
  test('writes a complete file that only the owner can read, never overwrites it, and import accepts it', async () => {
    await database.add({ passwordHash: bcrypt });
    const { folder } = database.place();
    const file = join(folder, 'all.jsonl');
    const first = await accounts(['export', '--out', 'all.jsonl']);
    expect(first).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/holds the password hashes of \d+ account/),
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(text).toContain(bcrypt);
    expect(await accounts(['export', '--out', 'all.jsonl'])).toMatchObject({ code: 73 });
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await accounts(['export', '--out', 'nowhere/all.jsonl'])).toMatchObject({ code: 73 });
    expect(await accounts(['import', 'all.jsonl'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(' 0 imported'),
    });
    const replaced = await accounts(['export', '--out', 'all.jsonl', '--force', '--json']);
    expect(JSON.parse(replaced.stdout)).toEqual({
      file: 'all.jsonl',
      accounts: text.trim().split('\n').length,
    });
    expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test('writes secrets of authenticator apps only on demand, and says it loudly', async () => {
    const { id } = await database.add();
    const sealedSecret = createServerKeys([serverSecret]).seal(`totp secret ${id}`, 'A'.repeat(32));
    const factor = {
      id: 'totp_x',
      sealedSecret,
      lastStep: 7,
      uses: 0,
      addedAt: 1_700_000_000_000,
      hasApp: true,
    };
    await database.factors().add(id, factor);
    await database.store().update(id, { hasSecondFactor: true }, 1_700_000_000_000);
    const lineOf = async (...args: string[]) => {
      const { code, stdout, stderr } = await database
        .place()
        .gatehouse(['accounts', 'export', ...args], { env: { GATEHOUSE_SERVER_SECRETS: secretsFile } });
      expect([code, stderr]).toEqual([0, expect.stringContaining('keep it as a secret')]);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      return { totp: lines.find((line) => line.id === id).totp, stderr };
    };
    const path = await database.place().write('server-secrets', serverSecret);
    await chmod(path, 0o600);
    const secretsFile = `file:${path}`;
    expect((await lineOf()).totp).toBeUndefined();
    const sealed = await lineOf('--second-factors', 'sealed');
    expect(sealed.totp).toEqual({ sealed: sealedSecret, lastStep: 7 });
    expect(sealed.stderr).not.toContain('WARNING');
    const clear = await lineOf('--second-factors', 'clear');
    expect(clear.totp).toEqual({ secret: 'A'.repeat(32), lastStep: 7 });
    expect(clear.stderr).toMatch(/WARNING: .*in clear/);
    expect(clear.stderr).toContain('IN CLEAR');
  });

  test('writes the same lines to standard output, and nothing else', async () => {
    const { id } = await database.add();
    const { code, stdout, stderr } = await accounts(['export']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('keep it as a secret') });
    const exported = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(exported).toContainEqual(expect.objectContaining({ id }));
  });
});
