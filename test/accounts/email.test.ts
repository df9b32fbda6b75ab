import { describe, expect, test } from '@jest/globals';
import { emailAddress } from '../../provider/accounts/email.ts';

describe('an email address', () => {
  test.each([
    ['John.Doe+tag@Example.com', 'John.Doe+tag@Example.com'],
    ['  john@example.com\n', 'john@example.com'],
    ['жанна@пример.рф', 'жанна@пример.рф'],
    ["o'hara@localhost", "o'hara@localhost"],
    ['émile@bücher.example', 'émile@bücher.example'],
    ['john@xn--bcher-kva.example', 'john@xn--bcher-kva.example'],
    ['john@example.com.', 'john@example.com.'],
    ['john@ｅxample.com', 'john@ｅxample.com'],
    ['a@نامه\u200cای.com', 'a@نامه\u200cای.com'],
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
    'john@example\u200d.com',
    'john@-example.com',
    'john@example-.com',
    'john@exa_mple.com',
    'john@example..com',
    'john@example.com..',
    'john@.example.com',
    'john@[192.0.2.1]',
    'john@example.com/x',
    'john@bücher.example/x',
    'john@bü%41cher.example',
    'john@example.com:25',
    'john@ü\u2a74.example',
    `john@${'ü'.repeat(60)}.example`,
    `john@${'a'.repeat(64)}.example`,
    `john@${`${'ü'.repeat(20)}.`.repeat(9)}example`,
    'john,jane@example.com',
    'john<jane@example.com',
    '"john"@example.com',
    'john\\@example.com',
    42,
    undefined,
    null,
  ])('%j is not an email address', (typed) => {
    const { success, error } = emailAddress.safeParse(typed);
    expect(success).toBe(false);
    expect(error?.issues).toHaveLength(1);
  });
});
