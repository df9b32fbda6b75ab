import { expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';

test('a token holds as many random bytes as asked for, 32 by default', () => {
  expect(Buffer.from(randomToken(), 'base64url')).toHaveLength(32);
  expect(Buffer.from(randomToken(16), 'base64url')).toHaveLength(16);
});

test('an id says what it names and is safe in URLs, JSON and headers', () => {
  expect(newId('user')).toMatch(/^user_[\w-]{22}$/);
});

test('no two are the same', () => {
  const ids = Array.from({ length: 10_000 }, () => newId('evt'));
  expect(new Set(ids).size).toBe(ids.length);
});
