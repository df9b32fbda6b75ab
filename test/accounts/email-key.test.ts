import { expect, test } from '@jest/globals';
import { emailKey } from '../../provider/ports/account-store.ts';

test.each([
  ['John@Example.COM', 'john@example.com'],
  [' john@example.com\n', 'john@example.com'],
  ['ÉMILE@example.com', 'émile@example.com'],
  ['E\u0301mile@example.com', '\u00e9mile@example.com'],
  ['ZOE\u0308@Example.COM', 'zo\u00eb@example.com'],
  ['\u212a@example.com', 'k@example.com'],
  ['john@example.com.', 'john@example.com'],
  ['john@ｅxample.com', 'john@example.com'],
  ['john@example。com', 'john@example.com'],
  ['john@bücher.example', 'john@xn--bcher-kva.example'],
  ['john@BU\u0308CHER.example.', 'john@xn--bcher-kva.example'],
  ['john@XN--BCHER-KVA.example', 'john@xn--bcher-kva.example'],
  ['john@faß.de', 'john@xn--fa-hia.de'],
  ['john@FAẞ.de', 'john@xn--fa-hia.de'],
  ['жанна@пример.рф', 'жанна@xn--e1afmkfd.xn--p1ai'],
  ['a@نامه\u200cای.com', 'a@xn--mgba3gch31f060k.com'],
])('%j and %j are the same address', (one, other) => {
  expect(emailKey(one)).toBe(emailKey(other));
});

test.each([
  ['john@example.com', 'jon@example.com'],
  ['paypal@example.com', 'p\u0430ypal@example.com'],
  ['ａ@example.com', 'a@example.com'],
  ['émile@example.com', 'emile@example.com'],
  ['straße@example.com', 'strasse@example.com'],
  ['john@faß.de', 'john@fass.de'],
  ['john@bücher.example', 'john@bucher.example'],
  ['john@bücher.example/x', 'john@bücher.example'],
  ['john@bücher.exa%41mple', 'john@bücher.exaample'],
  ['john@example.com..', 'john@example.com'],
  ['john@127.1', 'john@127.0.0.1'],
])('%j and %j are different addresses', (one, other) => {
  expect(emailKey(one)).not.toBe(emailKey(other));
});

test('the key of an address with an international domain is in ASCII from the @ on', () => {
  expect(emailKey('Émile@Bücher.Example')).toBe('émile@xn--bcher-kva.example');
});

test('the key of a key equals the key', () => {
  const texts = [
    'İ@x',
    'ẞ@x',
    'Å@x',
    '\u1e9b\u0323@x',
    'Σ@x',
    'a@İ',
    'a@ΒΌΛΟΣ.gr',
    'a@ü_b',
    'a@¨ü',
    'ü',
    '@',
    '',
  ];
  for (const email of texts) expect(emailKey(emailKey(email))).toBe(emailKey(email));
});

test('every text has a key, and the domain of a long text is not converted', () => {
  const han = Array.from({ length: 60_000 }, (_, index) => String.fromCodePoint(0x4e00 + (index % 20_000)));
  // The conversion of the second text would take seconds.
  for (const text of ['a'.repeat(60_000), `a@${han.join('')}`, `a@${'\ufdfa'.repeat(60_000)}`]) {
    expect(emailKey(text)).toHaveLength(text.length);
  }
});
