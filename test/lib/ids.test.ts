import { expect, test } from '@jest/globals';
import { newId, passingId, randomToken } from '../../provider/lib/ids.ts';

test('a token contains the requested number of random bytes, 32 by default', () => {
  expect(Buffer.from(randomToken(), 'base64url')).toHaveLength(32);
  expect(Buffer.from(randomToken(16), 'base64url')).toHaveLength(16);
});

test('an id has a prefix for its kind and is safe in URLs, JSON and headers', () => {
  expect(newId('user')).toMatch(/^user_[\w-]{22}$/);
});

test.each([
  ['ids', () => newId('evt')],
  ['passing ids', passingId],
])('all %s are different', (_name, make) => {
  const ids = Array.from({ length: 10_000 }, make);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a passing id contains 12 bytes', () => {
  expect(Buffer.from(passingId(), 'base64url')).toHaveLength(12);
});
