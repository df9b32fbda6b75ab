import { describe, expect, test } from '@jest/globals';
import { emailAddress } from '../../provider/accounts/email.ts';

describe('an email address', () => {
  test.each([
    ['John.Doe+tag@Example.com', 'John.Doe+tag@Example.com'],
    ['  john@example.com\n', 'john@example.com'],
    ['жанна@пример.рф', 'жанна@пример.рф'],
    ["o'hara@localhost", "o'hara@localhost"],
    [`${'a'.repeat(242)}@example.com`, `${'a'.repeat(242)}@example.com`],
  ])('%j is stored as %j', (typed, kept) => {
    expect(emailAddress.parse(typed)).toBe(kept);
  });

  test.each([
    '',
    'john',
    '@example.com',
    'john@',
    'john@@example.com',
    'a@b@c',
    'jo hn@example.com',
    'john@exam\u0000ple.com',
    'john\u200b@example.com',
    'john\ud800@example.com',
    'john\r\nBcc: x@example.com',
    'john\u00a0doe@example.com',
    `${'a'.repeat(243)}@example.com`,
    42,
    undefined,
    null,
  ])('%j is not an email address', (typed) => {
    const { success, error } = emailAddress.safeParse(typed);
    expect(success).toBe(false);
    expect(error?.issues).toHaveLength(1);
  });
});
