import { expect, test } from '@jest/globals';
import { newId, passingId, randomToken } from '../../provider/lib/ids.ts';

test('a token holds as many random bytes as asked for, 32 by default', () => {
  expect(Buffer.from(randomToken(), 'base64url')).toHaveLength(32);
  expect(Buffer.from(randomToken(16), 'base64url')).toHaveLength(16);
});

test('an id says what it names and is safe in URLs, JSON and headers', () => {
  expect(newId('user')).toMatch(/^user_[\w-]{22}$/);
});

test.each([
  ['ids', () => newId('evt')],
  ['passing ids', passingId],
])('no two %s are the same', (_name, make) => {
  const ids = Array.from({ length: 10_000 }, make);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a passing id holds 12 bytes', () => {
  expect(Buffer.from(passingId(), 'base64url')).toHaveLength(12);
});
