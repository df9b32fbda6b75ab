import { expect, test } from '@jest/globals';
import { emailKey } from '../../provider/ports/account-store.ts';

test.each([
  ['John@Example.COM', 'john@example.com'],
  ['ÉMILE@example.com', 'émile@example.com'],
  ['E\u0301mile@example.com', '\u00e9mile@example.com'],
  ['ZOE\u0308@Example.COM', 'zo\u00eb@example.com'],
  ['\u212a@example.com', 'k@example.com'],
])('%j and %j are the same address', (one, other) => {
  expect(emailKey(one)).toBe(emailKey(other));
});

test.each([
  ['john@example.com', 'jon@example.com'],
  ['paypal@example.com', 'p\u0430ypal@example.com'],
  ['ａ@example.com', 'a@example.com'],
  ['émile@example.com', 'emile@example.com'],
  ['straße@example.com', 'strasse@example.com'],
])('%j and %j are different addresses', (one, other) => {
  expect(emailKey(one)).not.toBe(emailKey(other));
});

test('the key of a key equals the key', () => {
  for (const email of ['İ@x', 'ẞ@x', 'Å@x', '\u1e9b\u0323@x', 'Σ@x'])
    expect(emailKey(emailKey(email))).toBe(emailKey(email));
});
