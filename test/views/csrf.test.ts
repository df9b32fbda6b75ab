import { expect, test } from '@jest/globals';
import { checkCsrf, csrfToken } from '../../provider/interactions/csrf.ts';
import { randomToken } from '../../provider/lib/ids.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';

const [old, current] = [randomToken(), randomToken()];
const keys = createServerKeys([current]);

test('a token holds for its own interaction only', () => {
  const token = csrfToken(keys, 'uid-1');
  expect(checkCsrf(keys, 'uid-1', token)).toBe(true);
  expect(checkCsrf(keys, 'uid-2', token)).toBe(false);
});

test.each([undefined, '', 'x', 'uid-1', 'a'.repeat(22), 'ü'.repeat(22)])('%j is no token', (token) => {
  expect(checkCsrf(keys, 'uid-1', token)).toBe(false);
});

test('a token of a secret that was replaced holds until that secret is dropped', () => {
  const token = csrfToken(createServerKeys([old]), 'uid-1');
  expect(checkCsrf(createServerKeys([current, old]), 'uid-1', token)).toBe(true);
  expect(checkCsrf(keys, 'uid-1', token)).toBe(false);
});

test('a tag made for something else is no token', () => {
  expect(checkCsrf(keys, 'uid-1', keys.tag('something else', 'uid-1'))).toBe(false);
});
