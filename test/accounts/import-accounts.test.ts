import { describe, expect, test } from '@jest/globals';
import { john } from './account-world.ts';
import { oddHashes } from './foreign-hashes.ts';
import { createImportWorld } from './import-world.ts';

const [, bcrypt = ''] = oddHashes.find(([name]) => name === 'bcrypt 2b') ?? [];
const [, scrypt = ''] = oddHashes.find(([name]) => name.includes('scrypt')) ?? [];

const everything = {
  id: 'user_from-elsewhere_1',
  email: 'Ann@Example.com',
  emailVerified: true,
  passwordHash: bcrypt,
  roles: ['ADMIN', 'CLIENT'],
  metadata: { plan: 'gold', nested: [{ a: null }], 'line\u2028break': '\0' },
  disabled: true,
  generation: 4,
  createdAt: '2020-02-29T12:34:56.789+02:00',
  updatedAt: 1_600_000_000_000,
};

describe('a line', () => {
  test('sets all values of an account', async () => {
    const world = createImportWorld();
    const { summary, problems } = await world.import([everything]);
    expect(problems).toEqual([]);
    expect(summary).toEqual({ lines: 1, imported: 1, updated: 0, unchanged: 0, failed: 0 });
    expect(await world.store.findById('user_from-elsewhere_1')).toEqual({
      id: 'user_from-elsewhere_1',
      email: 'Ann@Example.com',
      emailVerified: true,
      passwordHash: bcrypt,
      roles: ['ADMIN', 'CLIENT'],
      metadata: everything.metadata,
      state: 'disabled',
      tokenVersion: 4,
      createdAt: Date.UTC(2020, 1, 29, 10, 34, 56, 789),
      updatedAt: 1_600_000_000_000,
    });
  });

  test('requires only an address; null counts as missing', async () => {
    const world = createImportWorld();
    await world.import([{ email: ' ann@example.com ', roles: null, passwordHash: null, id: null }]);
    expect(await world.store.findByEmail('ann@example.com')).toEqual({
      id: expect.stringMatching(/^user_[\w-]{22}$/),
      email: 'ann@example.com',
      emailVerified: false,
      passwordHash: undefined,
      roles: [],
      metadata: {},
      state: 'active',
      tokenVersion: 0,
      createdAt: world.clock.now(),
      updatedAt: world.clock.now(),
    });
  });

  test('may have times as Firebase exports them, in milliseconds as text', async () => {
    const world = createImportWorld();
    await world.import([
      { email: 'ann@example.com', createdAt: '1546300800000', updatedAt: '1546300800001' },
    ]);
    expect(await world.store.findByEmail('ann@example.com')).toMatchObject({
      createdAt: 1_546_300_800_000,
      updatedAt: 1_546_300_800_001,
    });
  });

  test('may be blank, end in a carriage return, or begin with a byte order mark', async () => {
    const world = createImportWorld();
    const { summary, problems } = await world.import([
      Buffer.from('\ufeff{"email":"one@example.com"}\r'),
      '',
      '  \t',
      '{"email":"two@example.com"}\r\n',
    ]);
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({ lines: 4, imported: 2 });
  });

  const line = { email: 'ann@example.com' };
  test.each<[string, unknown, { field: string; message: RegExp }[]]>([
    ['text that is not JSON', '{email: ann}', [{ field: '', message: /JSON object/ }]],
    ['a list', '[1]', [{ field: '', message: /JSON object/ }]],
    ['null', 'null', [{ field: '', message: /JSON object/ }]],
    ['no address', {}, [{ field: '/email', message: /Give an email address/ }]],
    ['a bad address', { email: 'ann' }, [{ field: '/email', message: /no email address/ }]],
    ['a number as id', { ...line, id: 7 }, [{ field: '/id', message: /as text/ }]],
    ['an id in another format', { ...line, id: '7' }, [{ field: '/id', message: /Put user_ before/ }]],
    ['a NUL in the id', { ...line, id: 'user_\0' }, [{ field: '/id', message: /An id is/ }]],
    ['a flag as text', { ...line, disabled: 'yes' }, [{ field: '/disabled', message: /true or false/ }]],
    [
      'an unknown role',
      { ...line, roles: ['CLIENT', 'client'] },
      [{ field: '/roles/1', message: /Did you mean CLIENT/ }],
    ],
    ['a made-up role', { ...line, roles: ['ZEBRA'] }, [{ field: '/roles/0', message: /"ZEBRA".*Define it/ }]],
    ['roles as text', { ...line, roles: 'CLIENT' }, [{ field: '/roles', message: /list of roles/ }]],
    ['a number as role', { ...line, roles: [1] }, [{ field: '/roles/0', message: /text/ }]],
    [
      'too many roles',
      { ...line, roles: Array(101).fill('CLIENT') },
      [{ field: '/roles', message: /at most 100/ }],
    ],
    [
      'a misspelt field',
      { ...line, emailverified: true },
      [{ field: '/emailverified', message: /Did you mean emailVerified/ }],
    ],
    [
      'a field of another system',
      { ...line, phoneNumber: '1' },
      [{ field: '/phoneNumber', message: /into metadata/ }],
    ],
    ['metadata as text', { ...line, metadata: 'x' }, [{ field: '/metadata', message: /Give an object/ }]],
    ['metadata as list', { ...line, metadata: [] }, [{ field: '/metadata', message: /Give an object/ }]],
    [
      'metadata nested too deep',
      `{"email":"ann@example.com","metadata":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
      [{ field: '/metadata', message: /at most 32 deep/ }],
    ],
    [
      'seconds instead of milliseconds',
      { ...line, createdAt: 1_600_000_000 },
      [{ field: '/createdAt', message: /milliseconds/ }],
    ],
    [
      'seconds for milliseconds, as text',
      { ...line, createdAt: '1600000000' },
      [{ field: '/createdAt', message: /milliseconds/ }],
    ],
    [
      'a date without a time',
      { ...line, createdAt: '2020-02-29' },
      [{ field: '/createdAt', message: /Give a time like/ }],
    ],
    [
      'a date that does not exist',
      { ...line, updatedAt: '2021-02-29T00:00:00Z' },
      [{ field: '/updatedAt', message: /Give a time like/ }],
    ],
    [
      'a negative token version',
      { ...line, generation: -1 },
      [{ field: '/generation', message: /whole number/ }],
    ],
    [
      'a token version that is not an integer',
      { ...line, generation: 0.5 },
      [{ field: '/generation', message: /whole number/ }],
    ],
    [
      'an unknown hash',
      { ...line, passwordHash: 'hunter2' },
      [{ field: '/passwordHash', message: /known format/ }],
    ],
    [
      'a costly hash',
      { ...line, passwordHash: bcrypt.replace('$05$', '$31$') },
      [{ field: '/passwordHash', message: /too many seconds/ }],
    ],
    [
      'several',
      { email: 'ann', roles: 'CLIENT', disabled: 0 },
      [
        { field: '/email', message: /address/ },
        { field: '/roles', message: /list/ },
        { field: '/disabled', message: /true or false/ },
      ],
    ],
  ])('is reported as wrong, and the lines around it are imported: %s', async (_, bad, expected) => {
    const world = createImportWorld();
    const lines = [{ email: 'one@example.com' }, bad as string, { email: 'two@example.com' }];
    const { summary, problems } = await world.import(lines);
    expect(problems).toEqual(
      expected.map(({ field, message }) => ({ line: 2, field, message: expect.stringMatching(message) })),
    );
    expect(summary).toEqual({ lines: 3, imported: 2, updated: 0, unchanged: 0, failed: 1 });
    expect(await world.store.list(undefined, 10)).toHaveLength(2);
  });

  test('is reported if it is not UTF-8 or too long', async () => {
    const world = createImportWorld();
    const { problems, summary } = await world.import([
      Buffer.from('{"email":"\xe9@example.com"}', 'latin1'),
      Buffer.alloc(1_048_577, ' '),
      { email: 'two@example.com' },
    ]);
    expect(problems).toEqual([
      { line: 1, field: '', message: expect.stringContaining("isn't UTF-8") },
      { line: 2, field: '', message: expect.stringContaining('1048576 bytes') },
    ]);
    expect(summary).toMatchObject({ imported: 1, failed: 2 });
  });

  test('is reported without its hash, with at most 20 messages', async () => {
    const world = createImportWorld();
    const secret = 'c2VjcmV0LXNlY3JldA';
    const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]));
    const { problems } = await world.import([
      { email: 'ann@example.com', passwordHash: `$2b$99$${secret}` },
      { email: 'ann@example.com', firebase: { passwordHash: secret, salt: 7 } },
      { email: 'ann@example.com', keycloak: { credentialData: secret, secretData: secret } },
      { email: 'ann@example.com', ...fields },
    ]);
    expect(JSON.stringify(problems)).not.toContain(secret);
    expect(problems.filter(({ line }) => line === 4)).toHaveLength(20);
    expect(new Set(problems.map(({ line }) => line))).toEqual(new Set([1, 2, 3, 4]));
  });
});

describe('an import', () => {
  const many = Array.from({ length: 1234 }, (_, index) => ({
    email: `user${index}@example.com`,
    passwordHash: index % 2 === 0 ? bcrypt : scrypt,
    roles: ['CLIENT'],
  }));

  test('reports its progress, and a second run counts existing accounts as done', async () => {
    const world = createImportWorld();
    const first = await world.import(many);
    expect(first.reports.map(({ lines, imported }) => [lines, imported])).toEqual([
      [500, 500],
      [1000, 1000],
      [1234, 1234],
    ]);
    const second = await world.import(many);
    expect(second.summary).toEqual({ lines: 1234, imported: 0, updated: 0, unchanged: 1234, failed: 0 });
    expect(await world.store.list(undefined, 2000)).toHaveLength(1234);
  });

  test('continues after an interruption', async () => {
    const world = createImportWorld();
    async function* interrupted() {
      yield* many.slice(0, 700);
      throw new Error('the connection is gone');
    }
    await expect(world.import(interrupted())).rejects.toThrow('the connection is gone');
    const { summary } = await world.import(many);
    expect(summary).toEqual({ lines: 1234, imported: 734, updated: 0, unchanged: 500, failed: 0 });
  });

  test('writes no `user.created`, because no person signed up', async () => {
    const world = createImportWorld();
    await world.import(many.slice(0, 3));
    expect(await world.events()).toEqual([]);
  });

  test('reports problems in the order of the lines', async () => {
    const world = createImportWorld();
    await world.import([{ email: 'ann@example.com' }]);
    const { problems } = await world.import([
      { email: 'x' },
      { email: 'ann@example.com', emailVerified: true },
      { email: 'y' },
      ...many.slice(0, 600),
      'nonsense',
    ]);
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3, 604]);
  });

  test('reports an account that differs, with its line number, and does not change it', async () => {
    const world = createImportWorld();
    await world.import([everything]);
    const before = await world.store.findById(everything.id);
    const { id, ...withoutId } = everything;
    const { problems, summary } = await world.import([
      { ...withoutId, email: 'ANN@example.com' },
      { email: everything.email, emailVerified: false, roles: ['CLIENT'], disabled: false },
      { email: everything.email, passwordHash: scrypt, metadata: {} },
      { id, email: 'other@example.com' },
      { id: 'user_other', email: everything.email },
      { email: everything.email, createdAt: '2001-01-01T00:00:00Z', generation: 9 },
    ]);
    expect(problems.map(({ line, field }) => [line, field])).toEqual([
      [2, '/emailVerified'],
      [2, '/roles'],
      [2, '/disabled'],
      [3, '/passwordHash'],
      [3, '/metadata'],
      [4, '/email'],
      [5, '/id'],
    ]);
    expect(summary).toMatchObject({ unchanged: 2, failed: 4 });
    expect(await world.store.findById(id)).toEqual(before);
    expect(await world.store.list(undefined, 10)).toHaveLength(1);
  });

  test('imports the first of two lines with the same address or id', async () => {
    const world = createImportWorld();
    const { summary, problems } = await world.import([
      { id: 'user_1', email: 'ann@example.com', roles: ['CLIENT'] },
      { email: 'ANN@example.com', roles: ['CLIENT'] },
      { email: 'Ann@example.com', roles: ['ADMIN'] },
      { id: 'user_1', email: 'ben@example.com' },
    ]);
    expect(problems.map(({ line, field }) => [line, field])).toEqual([
      [3, '/roles'],
      [4, '/email'],
    ]);
    expect(summary).toMatchObject({ imported: 1, unchanged: 1, failed: 2 });
  });
});

describe('an import that updates', () => {
  test('changes only the values of the line, with the events of an administrator’s change', async () => {
    const world = createImportWorld();
    const created = await world.accounts.create({
      ...john,
      roles: ['CLIENT'],
      metadata: { kept: true },
      emailVerified: false,
    });
    await world.events();
    world.clock.advance(1000);
    const line = { email: john.email, passwordHash: bcrypt, roles: ['ADMIN'], emailVerified: true };
    const { summary, problems } = await world.import([line], { update: true });
    expect(problems).toEqual([]);
    expect(summary).toMatchObject({ imported: 0, updated: 1, unchanged: 0, failed: 0 });
    expect(await world.store.findByEmail(john.email)).toEqual({
      ...created,
      passwordHash: bcrypt,
      roles: ['ADMIN'],
      emailVerified: true,
      tokenVersion: 1,
      updatedAt: world.clock.now(),
    });
    const events = (await world.events()).map(({ type, data }) => ({ type, data }));
    expect(events).toEqual([
      { type: 'user.password_changed', data: { id: created?.id, email: john.email } },
      { type: 'user.roles_changed', data: { id: created?.id, roles: ['ADMIN'] } },
    ]);
    expect((await world.import([line], { update: true })).summary).toMatchObject({ unchanged: 1 });
    expect(await world.events()).toEqual([]);
  });

  test.each([
    [true, 'user.disabled', 'disabled', 1],
    [false, 'user.enabled', 'active', 0],
  ] as const)('disables or enables an account: disabled %j', async (disabled, type, state, tokenVersion) => {
    const world = createImportWorld();
    await world.import([{ email: john.email, disabled: !disabled }]);
    await world.import([{ email: john.email, disabled }], { update: true });
    expect(await world.store.findByEmail(john.email)).toMatchObject({ state, tokenVersion });
    expect((await world.events()).map((event) => event.type)).toEqual([type]);
  });

  test('does not raise the token version for a change that ends no token', async () => {
    const world = createImportWorld();
    await world.import([{ email: john.email }]);
    const line = { email: john.email, metadata: { a: 1 }, emailVerified: true };
    await world.import([line], { update: true });
    expect(await world.store.findByEmail(john.email)).toMatchObject({ tokenVersion: 0, emailVerified: true });
    expect(await world.events()).toEqual([]);
  });

  test('does not change ids and addresses, and imports new accounts', async () => {
    const world = createImportWorld();
    await world.import([{ id: 'user_1', email: 'ann@example.com' }]);
    const { summary, problems } = await world.import(
      [
        { id: 'user_1', email: 'ben@example.com' },
        { id: 'user_2', email: 'ann@example.com' },
        { email: 'new@example.com' },
      ],
      { update: true },
    );
    expect(problems.map(({ line, field }) => [line, field])).toEqual([
      [1, '/email'],
      [2, '/id'],
    ]);
    expect(summary).toMatchObject({ imported: 1, updated: 0, failed: 2 });
  });

  test.each([true, false])(
    'reports a line with the address of an earlier line in another spelling (dry run: %s)',
    async (dryRun) => {
      const world = createImportWorld();
      const lines = ['ann@bücher.example', 'ann@xn--bcher-kva.example', 'ann@BÜCHER.example.'];
      const roles = [['CLIENT'], ['ADMIN'], []];
      const { problems, summary } = await world.import(
        lines.map((email, index) => ({ email, roles: roles[index] })),
        { dryRun },
      );
      expect(problems.map(({ line }) => line)).toEqual([2, 3]);
      expect(summary).toMatchObject({ imported: 1, failed: 2 });
    },
  );

  test('sees the changes of earlier lines', async () => {
    const world = createImportWorld();
    await world.import([{ email: 'ann@example.com' }]);
    const lines = [['ADMIN'], ['CLIENT'], ['CLIENT']].map((roles) => ({ email: 'ann@example.com', roles }));
    const { summary } = await world.import(lines, { update: true });
    expect(summary).toMatchObject({ updated: 2, unchanged: 1 });
    expect(await world.store.findByEmail('ann@example.com')).toMatchObject({ roles: ['CLIENT'] });
  });
});

describe('a dry run', () => {
  const lines = [
    { email: 'new@example.com' },
    { email: 'same@example.com' },
    { email: 'other@example.com', roles: ['ADMIN'] },
    { email: 'nonsense' },
    { email: 'NEW@example.com' },
    { id: 'user_1', email: 'one@example.com' },
    { id: 'user_1', email: 'two@example.com' },
  ];

  test.each([
    [false, { imported: 2, updated: 0, unchanged: 1, failed: 4 }, [3, 4, 5, 7]],
    [true, { imported: 2, updated: 1, unchanged: 1, failed: 3 }, [4, 5, 7]],
  ])('reports what an import would do and writes nothing (update: %j)', async (update, sums, wrong) => {
    const world = createImportWorld();
    await world.import([{ email: 'same@example.com' }, { email: 'other@example.com' }]);
    const before = await world.export();
    const { summary, problems } = await world.import(lines, { dryRun: true, update });
    expect(summary).toEqual({ lines: 7, ...sums });
    expect(problems.map(({ line }) => line)).toEqual(wrong);
    expect(problems.find(({ line }) => line === 5)?.message).toContain('Line 1 has');
    expect(await world.export()).toBe(before);
    expect(await world.events()).toEqual([]);
  });
});
