import { describe, expect, jest, test } from '@jest/globals';
import { createPasswordRules } from '../../provider/accounts/password-rules.ts';
import type { SecondFactorPolicy } from '../../provider/accounts/second-factor-gate.ts';

const email = 'john@example.com';
const { problems, lengthFor } = createPasswordRules({ shortest: 8, blocklists: [] });

describe('a new password', () => {
  test.each(['correct-horse-battery', `${'🔑🔒'.repeat(4)}🗝`, 'x y z x y z', `${'a1b2c3d4 '.repeat(7)}end`])(
    'may be %j',
    async (good) => {
      expect(await problems(good, email)).toEqual([]);
    },
  );

  test('may have at least 64 characters, as NIST SP 800-63B-4 requires', () => {
    expect(lengthFor().longest).toBeGreaterThanOrEqual(64);
  });

  test.each([
    ['', /at least 8/],
    ['🔑'.repeat(7), /at least 8/],
    ['🔑'.repeat(257), /at most 256/],
    ['John@Example.com', /email address/],
    ['pass\u0000word-1', /can't be typed/],
    ['pasted with a tab\t', /can't be typed/],
    ['a lone surrogate \ud800', /can't be typed/],
    ['a replacement character \ufffd', /can't be typed/],
  ])('may not be %j', async (bad, problem) => {
    expect(await problems(bad, email)).toEqual([expect.stringMatching(problem)]);
  });

  test.each([
    'Password1',
    'PASSWORD',
    'p@$$w0rd',
    'passwordpassword',
    'qwertyuiop12345',
    'correcthorsebatterystaple',
    'dragondragondragon',
    '🔑'.repeat(8),
    'abababababababab',
    '1234567890123456',
    '9876543210',
    'abcdefghijklmnop',
    'Winter2026',
  ])('may not be one of the first to be guessed: %j', async (bad) => {
    expect(await problems(bad, email)).toEqual([expect.stringMatching(/first to be guessed/)]);
  });

  test.each(['my password is password', 'not-qwertyuiop-but-longer'])(
    'may contain a common one: %j',
    async (good) => {
      expect(await problems(good, email)).toEqual([]);
    },
  );

  test.each(['john@xn--bcher-kva.example', 'John@BÜCHER.example', 'john@bücher.example.'])(
    'may not be the email address in another spelling: %j',
    async (bad) => {
      expect(await problems(bad, 'john@bücher.example')).toEqual([expect.stringMatching(/email address/)]);
    },
  );

  test('is compared with the lists, in Unicode NFC and in their order, until one has it', async () => {
    const first = { has: jest.fn(async (_: string) => false) };
    const second = { has: jest.fn(async (_: string) => true) };
    const third = { has: jest.fn(async (_: string) => false) };
    const rules = createPasswordRules({ shortest: 8, blocklists: [first, second, third] });
    expect(await rules.problems('a long pässphrase', email)).toEqual([
      expect.stringMatching(/first to be guessed/),
    ]);
    expect(first.has.mock.calls).toEqual([['a long pässphrase']]);
    expect(second.has.mock.calls).toEqual([['a long pässphrase']]);
    expect(third.has).not.toHaveBeenCalled();
  });

  test('is shown to no list when it has another problem', async () => {
    const list = { has: jest.fn(async (_: string) => true) };
    const rules = createPasswordRules({ shortest: 15, blocklists: [list] });
    expect(await rules.problems('Password1', email)).toEqual([expect.stringMatching(/at least 15/)]);
    expect(await rules.problems('passwordpassword', email)).toEqual([expect.stringMatching(/first to be/)]);
    expect(list.has).not.toHaveBeenCalled();
  });
});

describe('the shortest password', () => {
  const rulesWith = (policy: Partial<SecondFactorPolicy>) =>
    createPasswordRules({
      shortest: 15,
      secondFactor: { shortest: 8, policy: { mode: 'optional', roles: [], ...policy } },
      blocklists: [],
    });
  const short = 'vt7 qwozk';

  test.each([
    ['with a second factor has 8 characters', {}, { roles: [], hasSecondFactor: true }, 8],
    ['that must add one has 8, by required', { mode: 'required' }, { roles: [] }, 8],
    ['that must add one has 8, by its role', { mode: 'off', roles: ['ADMIN'] }, { roles: ['ADMIN'] }, 8],
    ['without one has 15', { roles: ['ADMIN'] }, { roles: ['CLIENT'] }, 15],
  ] as const)('of an account %s', async (_, policy, owner, shortest) => {
    const rules = rulesWith(policy as Partial<SecondFactorPolicy>);
    expect(rules.lengthFor({ ...owner, roles: [...owner.roles] }).shortest).toBe(shortest);
    const problems = await rules.problems(short, email, { ...owner, roles: [...owner.roles] });
    expect(problems).toEqual(shortest === 8 ? [] : [expect.stringContaining('at least 15')]);
  });

  test('with a second factor is never longer than without', () => {
    const rules = createPasswordRules({
      shortest: 10,
      secondFactor: { shortest: 12, policy: { mode: 'required', roles: [] } },
      blocklists: [],
    });
    expect(rules.lengthFor().shortest).toBe(10);
  });
});
