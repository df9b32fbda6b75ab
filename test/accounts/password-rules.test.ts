import { describe, expect, test } from '@jest/globals';
import { commonPasswords } from '../../provider/accounts/common-passwords.ts';
import { passwordProblems } from '../../provider/accounts/password-rules.ts';

describe('a new password', () => {
  test.each(['correct-horse-battery', '🔑'.repeat(8), 'x y z x y z', '🔑'.repeat(256)])(
    'may be %j',
    (good) => {
      expect(passwordProblems(good, 'john@example.com')).toEqual([]);
    },
  );

  test.each([
    ['', /at least 8/],
    ['🔑'.repeat(7), /at least 8/],
    ['🔑'.repeat(257), /at most 256/],
    ['John@Example.com', /email address/],
    ['Password1', /first to be guessed/],
    ['PASSWORD', /first to be guessed/],
    ['pass\u0000word-1', /can't be typed/],
    ['pasted with a tab\t', /can't be typed/],
    ['a lone surrogate \ud800', /can't be typed/],
    ['a replacement character \ufffd', /can't be typed/],
  ])('may not be %j', (bad, problem) => {
    expect(passwordProblems(bad, 'john@example.com')).toEqual([expect.stringMatching(problem)]);
  });

  test.each(['john@xn--bcher-kva.example', 'John@BÜCHER.example', 'john@bücher.example.'])(
    'may not be the email address in another spelling: %j',
    (bad) => {
      const problem = /email address/;
      expect(passwordProblems(bad, 'john@bücher.example')).toEqual([expect.stringMatching(problem)]);
    },
  );

  test('is compared with a list of common passwords that the other rules allow', () => {
    expect(commonPasswords.size).toBeGreaterThan(200);
    for (const common of commonPasswords) {
      expect(common).toBe(common.normalize('NFC').toLowerCase());
      expect(common.length).toBeGreaterThanOrEqual(8);
      expect([common, passwordProblems(common, 'john@example.com')]).toEqual([
        common,
        [expect.stringMatching(/first to be guessed/)],
      ]);
    }
  });
});
