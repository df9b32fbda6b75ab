import { expect, test } from '@jest/globals';
import { parseUrl } from '../../provider/lib/parse-url.ts';

test('a URL with a letter beyond ASCII is a URL, also after many calls', () => {
  const hosts = Array.from({ length: 50_000 }, () => parseUrl('http://bücher.example/callback')?.host);
  expect(new Set(hosts)).toEqual(new Set(['xn--bcher-kva.example']));
});

test('a relative URL needs a base, and a text that is no URL gives undefined', () => {
  expect(parseUrl('/path')).toBeUndefined();
  expect(parseUrl('/path', 'http://here.example')?.href).toBe('http://here.example/path');
  expect(parseUrl('no url')).toBeUndefined();
});
