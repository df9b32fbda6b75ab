import { expect, test } from '@jest/globals';
import { checkCsrf, csrfToken } from '../../provider/interactions/csrf.ts';
import { randomToken } from '../../provider/lib/ids.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';

const [old, current] = [randomToken(), randomToken()];
const keys = createServerKeys([current]);

test('a token is valid for its own interaction only', () => {
  const token = csrfToken(keys, 'uid-1');
  expect(checkCsrf(keys, 'uid-1', token)).toBe(true);
  expect(checkCsrf(keys, 'uid-2', token)).toBe(false);
});

test.each([undefined, '', 'x', 'uid-1', 'a'.repeat(22), 'ü'.repeat(22)])('%j is not a token', (token) => {
  expect(checkCsrf(keys, 'uid-1', token)).toBe(false);
});

test('a token of a replaced secret is valid until that secret is dropped', () => {
  const token = csrfToken(createServerKeys([old]), 'uid-1');
  expect(checkCsrf(createServerKeys([current, old]), 'uid-1', token)).toBe(true);
  expect(checkCsrf(keys, 'uid-1', token)).toBe(false);
});

test('a tag for another purpose is not a token', () => {
  expect(checkCsrf(keys, 'uid-1', keys.tag('something else', 'uid-1'))).toBe(false);
});
