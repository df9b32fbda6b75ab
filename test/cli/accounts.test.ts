import { describe, expect, jest, test } from '@jest/globals';
import { stringify } from 'yaml';
import { samplePasskey } from '../contract/passkeys.ts';
import { useAccountDatabase } from './account-database.ts';
import { audience } from './command.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

const database = useAccountDatabase();
const password = 'correct-horse-battery';
const actor = 'operator';

const accounts = (args: string[], input = '') => database.place().gatehouse(['accounts', ...args], { input });

test('migrate --json lists the applied migrations', async () => {
  const { stdout } = await database.place().gatehouse(['migrate', '--json']);
  expect(JSON.parse(stdout)).toEqual({ applied: [] });
});

describe('accounts create', () => {
  test('writes the account with its event and prints only the id', async () => {
    const email = 'ann@example.com';
    const args = ['create', '--email', email, '--role', 'CLIENT', 'CLIENT', '--verified'];
    const { code, stdout, stderr } = await accounts(args, `${password}\n`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^user_\S+\n$/);
    const id = stdout.trim();
    const account = await database.store().findById(id);
    expect(account).toMatchObject({ email, emailVerified: true, roles: ['CLIENT'], state: 'active' });
    expect(account?.metadata).toEqual({});
    expect(account?.passwordHash).toMatch(/^\$argon2id\$/);
    expect(await database.events()).toEqual([['user.created', { id, email, actor }]]);
  });

  test('sets the name of the person', async () => {
    const ended = await accounts(
      ['create', '--email', 'bea@example.com', '--name', ' Béa O’Neill ', '--json'],
      password,
    );
    expect(JSON.parse(ended.stdout)).toMatchObject({ metadata: { name: 'Béa O’Neill' } });
    expect(await database.events()).toHaveLength(1);
  });

  test('ends with exit code 73 if the address is taken, in upper or lower case', async () => {
    const { email } = await database.add();
    const ended = await accounts(['create', '--email', email.toUpperCase(), '--json'], password);
    expect(ended).toMatchObject({ code: 73, stdout: '' });
    expect(JSON.parse(ended.stderr).error.code).toBe('address_taken');
  });

  test.each([
    ['an undefined role', ['--role', 'CLEINT'], 'hunter2hunter2', 64, /Did you mean CLIENT\?/],
    ['an empty name', ['--name', ' '], 'hunter2hunter2', 64, /Give one line of 1 to 200 characters/],
    ['a name of two lines', ['--name', 'a\nb'], 'hunter2hunter2', 64, /Give one line of 1 to 200 characters/],
    ['a password too short', [], 'hunter2', 1, /at least 15 characters/],
    ['no password', [], '', 64, /No password came by standard input/],
  ])('refuses %s', async (_, more, input, code, message) => {
    const ended = await accounts(['create', '--email', 'refused@example.com', ...more], input);
    expect(ended).toEqual({ code, stdout: '', stderr: expect.stringMatching(message) });
    expect(ended.stderr).not.toContain('hunter2');
    expect(await database.events()).toEqual([]);
  });
});

describe('accounts list and show', () => {
  test('list returns all accounts in pages', async () => {
    await database.add();
    await database.add();
    const all = (await database.store().list(undefined, 1000)).map(({ id }) => id);
    const limit = String(all.length - 1);
    const page = async (...more: string[]) =>
      JSON.parse((await accounts(['list', '--limit', limit, '--json', ...more])).stdout);
    const first: { accounts: { id: string }[]; next: string } = await page();
    const second = await page('--after', first.next);
    expect(first.accounts.map(({ id }) => id)).toEqual(all.slice(0, -1));
    expect(second).toEqual({ accounts: [expect.objectContaining({ id: all.at(-1) })], next: null });
  });

  test('list prints a table, and the command for the next page on standard error', async () => {
    await database.add();
    await database.add();
    const { stdout, stderr } = await accounts(['list', '--limit', '1']);
    expect(stdout).toMatch(/^ID +EMAIL +STATE +ROLES +CREATED\nuser_\S+ .*@example\.com .*Z\n$/);
    expect(stderr).toMatch(/^There are more: gatehouse accounts list --after user_\S+\n$/);
  });

  test('show finds an address in another spelling of its domain', async () => {
    const { id } = await database.add({ email: 'ann@bücher.example' });
    const found = await accounts(['show', 'Ann@xn--bcher-kva.example.', '--json']);
    expect(JSON.parse(found.stdout)).toMatchObject({ id, email: 'ann@bücher.example' });
  });

  test('show accepts an address in any case or an id, and shows no hash', async () => {
    const { id, email } = await database.add({
      passwordHash: '$argon2id$secret',
      roles: ['\u001b[31mRED'],
    });
    const text = await accounts(['show', email.toUpperCase()]);
    expect(text.stdout).toMatch(new RegExp(`^id +${id}\nemail +${email} \\(not verified\\)\n`));
    const json = await accounts(['show', id, '--json']);
    expect(JSON.parse(json.stdout)).toEqual({
      id,
      email,
      emailVerified: false,
      isUnconfirmed: false,
      state: 'active',
      metadata: {},
      generation: 0,
      hasPassword: true,
      hasSecondFactor: false,
      secondFactor: null,
      mailSuppressed: null,
      passkeys: [],
      roles: ['\u001b[31mRED'],
      createdAt: '2023-11-14T22:13:20.000Z',
      updatedAt: '2023-11-14T22:13:20.000Z',
    });
    expect(text.stdout + json.stdout).not.toContain('argon2');
    expect(text.stdout).not.toContain('\u001b');
  });
});

describe('commands that change accounts write an event', () => {
  test('disable and enable write one event each', async () => {
    const { id, email } = await database.add();
    const first = await accounts(['disable', email]);
    expect(first).toEqual({ code: 0, stdout: expect.stringContaining('is disabled'), stderr: '' });
    const again = await accounts(['disable', id]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('disabled already') });
    expect(await database.store().findById(id)).toMatchObject({ state: 'disabled', tokenVersion: 1 });
    expect(JSON.parse((await accounts(['enable', id, '--json'])).stdout)).toMatchObject({ state: 'active' });
    expect(await database.events()).toEqual([
      ['user.disabled', { id, email, actor }],
      ['user.enabled', { id, email, actor }],
    ]);
  });

  test('reset-factors removes the second factor, which show tells without its secret', async () => {
    const { id, email } = await database.add();
    const factor = {
      id: 'totp_1',
      sealedSecret: 'a secret',
      lastStep: 1,
      uses: 0,
      addedAt: 1_700_000_000_000,
      hasApp: true,
    };
    await database.factors().add(id, factor);
    await database.factors().replaceRecoveryCodes(id, factor.id, ['a hash', 'another hash']);
    await database.store().update(id, { hasSecondFactor: true }, 1_700_000_000_000);
    const passkey = samplePasskey({ accountId: id, name: 'Phone', createdAt: factor.addedAt });
    await database.passkeys().add(passkey, 20);
    const shown = await accounts(['show', id, '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      hasSecondFactor: true,
      passkeys: [{ id: passkey.id, name: 'Phone', addedAt: '2023-11-14T22:13:20.000Z', lastUsedAt: null }],
      secondFactor: { method: 'totp', addedAt: '2023-11-14T22:13:20.000Z', recoveryCodesLeft: 2 },
    });
    expect(shown.stdout).not.toMatch(/a secret|hash"/);
    const { code, stdout } = await accounts(['reset-factors', email]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('has no second factor any more')]);
    expect(await database.factors().find(id)).toBeUndefined();
    expect(await database.passkeys().list(id)).toEqual([]);
    const account = await database.store().findById(id);
    expect(account).toMatchObject({ tokenVersion: 0 });
    expect(account?.hasSecondFactor).toBeUndefined();
    expect((await accounts(['reset-factors', id])).stdout).toContain('has no second factor.');
    expect(await database.events()).toEqual([
      ['user.passkey_removed', { id, email, passkeyId: passkey.id, name: 'Phone', actor }],
      ['user.second_factor_removed', { id, email, method: 'totp', actor }],
    ]);
  });

  test('set-password ends issued tokens', async () => {
    const { id, email } = await database.add({ passwordHash: 'old' });
    const { code, stdout } = await accounts(['set-password', email], 'quite another password');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('has a new password') });
    const account = await database.store().findById(id);
    expect(account).toMatchObject({ tokenVersion: 1, passwordHash: expect.stringMatching(/^\$argon2id/) });
    expect(await database.events()).toEqual([['user.password_changed', { id, email, actor }]]);
  });

  test('set-roles sets exactly the given roles', async () => {
    const { id, email } = await database.add({ roles: ['CLIENT'] });
    const args = ['set-roles', email, 'ADMIN', 'CLIENT', 'ADMIN', '--json'];
    expect(JSON.parse((await accounts(args)).stdout)).toMatchObject({
      roles: ['ADMIN', 'CLIENT'],
      generation: 0,
    });
    expect((await accounts(['set-roles', id, '--none'])).stdout).toBe(`${email} now has no roles.\n`);
    expect(await database.store().findById(id)).toMatchObject({ roles: [] });
    expect(await database.events()).toEqual([
      ['user.roles_changed', { id, roles: ['ADMIN', 'CLIENT'], actor }],
      ['user.roles_changed', { id, roles: [], actor }],
    ]);
  });

  test('set-roles refuses undefined roles, and roles that do not fit into a token', async () => {
    const { id } = await database.add({ roles: ['CLIENT'] });
    expect(await accounts(['set-roles', id, 'CLIENTS'])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('Did you mean CLIENT?'),
    });
    const permissions = Array.from({ length: 90 }, (_, index) => `permission-${index}`.padEnd(99, '-'));
    const apis = [{ audience, name: 'Contracts' }];
    await database.place().write('huge.yaml', stringify({ apis, roles: { CLIENT: [], HUGE: permissions } }));
    const env = { GATEHOUSE_APIS_FILE: 'huge.yaml' };
    const ended = await database.place().gatehouse(['accounts', 'set-roles', id, 'HUGE'], { env });
    expect(ended).toMatchObject({ code: 78, stderr: expect.stringContaining('too much for one token') });
    expect(await database.store().findById(id)).toMatchObject({ roles: ['CLIENT'] });
    expect(await database.events()).toEqual([]);
  });

  test.each([['show'], ['disable'], ['set-password']])(
    '%s ends with exit code 1 if the account does not exist',
    async (command) => {
      const ended = await accounts([command, 'nobody@example.com', '--json'], password);
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(JSON.parse(ended.stderr)).toEqual({
        error: { code: 'not_found', message: 'There is no account nobody@example.com.' },
      });
    },
  );
});
