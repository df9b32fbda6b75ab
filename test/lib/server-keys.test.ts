import { describe, expect, test } from '@jest/globals';
import { createServerKeys } from '../../provider/lib/server-keys.ts';

const [first, second, third] = ['1'.repeat(43), '2'.repeat(43), '3'.repeat(43)] as const;
const before = createServerKeys([first]);
const during = createServerKeys([second, first]);
const after = createServerKeys([third, second]);

/** The same text with one bit of one byte flipped. */
function altered(text: string, position: number): string {
  const bytes = Buffer.from(text, 'base64url');
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  return bytes.toString('base64url');
}

describe('lookup hashes', () => {
  test('are the same in every process, and show nothing of the value', () => {
    const [hash] = before.lookupHashes('Session', 'value');
    expect(createServerKeys([first]).lookupHashes('Session', 'value')).toEqual([hash]);
    expect(Buffer.from(hash, 'base64url')).toHaveLength(32);
  });

  test('differ by value, label and secret', () => {
    const hashes = [
      ...before.lookupHashes('Session', 'value'),
      ...before.lookupHashes('Session', 'other'),
      ...before.lookupHashes('Interaction', 'value'),
      ...before.lookupHashes('Sessionv', 'alue'),
      ...createServerKeys([second]).lookupHashes('Session', 'value'),
    ];
    expect(new Set(hashes).size).toBe(5);
  });

  test('are computed with the current secret first, then with the older ones', () => {
    const [old] = before.lookupHashes('Session', 'value');
    const [current] = createServerKeys([second]).lookupHashes('Session', 'value');
    expect(during.lookupHashes('Session', 'value')).toEqual([current, old]);
  });
});

describe('sealing', () => {
  test('returns any text, and never the same sealed text twice', () => {
    for (const text of ['', 'x', 'ü€😀', 'y'.repeat(100_000)]) {
      expect(before.open('c', before.seal('c', text))).toBe(text);
    }
    expect(before.seal('c', 'x')).not.toBe(before.seal('c', 'x'));
  });

  test('refuses another context', () => {
    expect(before.open('Session:b', before.seal('Session:a', 'x'))).toBeUndefined();
  });

  test('refuses a changed nonce, tag or text', () => {
    const sealed = before.seal('c', 'some text');
    const length = Buffer.from(sealed, 'base64url').length;
    for (let position = 0; position < length; position++) {
      expect(before.open('c', altered(sealed, position))).toBeUndefined();
    }
  });

  test.each(['', 'x', '!!!', 'A'.repeat(36)])('refuses %j', (sealed) => {
    expect(before.open('c', sealed)).toBeUndefined();
  });

  test('refuses a truncated text', () => {
    const sealed = Buffer.from(before.seal('c', 'some text'), 'base64url');
    expect(before.open('c', sealed.subarray(0, -1).toString('base64url'))).toBeUndefined();
  });

  test('works with an older secret until that secret is dropped', () => {
    const sealed = before.seal('c', 'x');
    expect(during.open('c', sealed)).toBe('x');
    expect(after.open('c', sealed)).toBeUndefined();
    expect(before.open('c', during.seal('c', 'x'))).toBeUndefined();
  });
});

describe('tags', () => {
  test('are valid only for the value and label that they were made for', () => {
    const tag = before.tag('family', 'fam_1');
    expect(Buffer.from(tag, 'base64url')).toHaveLength(16);
    expect(before.checkTag('family', 'fam_1', tag)).toBe(true);
    expect(before.checkTag('family', 'fam_2', tag)).toBe(false);
    expect(before.checkTag('other', 'fam_1', tag)).toBe(false);
    expect(createServerKeys([second]).checkTag('family', 'fam_1', tag)).toBe(false);
  });

  test.each([0, 15])('with byte %i changed are refused', (position) => {
    expect(before.checkTag('l', 'v', altered(before.tag('l', 'v'), position))).toBe(false);
  });

  test('of another length are refused without an exception', () => {
    const tag = before.tag('l', 'v');
    for (const wrong of ['', 'x', tag.slice(0, -2), `${tag}AAAA`]) {
      expect(before.checkTag('l', 'v', wrong)).toBe(false);
    }
  });

  test('of an older secret are valid until that secret is dropped', () => {
    const tag = before.tag('l', 'v');
    expect([during.checkTag('l', 'v', tag), after.checkTag('l', 'v', tag)]).toEqual([true, false]);
  });
});

test('cookie keys are in the order of the secrets', () => {
  expect(during.cookieKeys()).toEqual([...createServerKeys([second]).cookieKeys(), ...before.cookieKeys()]);
});

// Stores and browsers contain values of the last release, so the results must not change. They were computed separately:
// HKDF-SHA-256 of the secret with the info `gatehouse <purpose>`, then HMAC-SHA-256 of `<label> NUL <value>`.
test('values of an earlier release are still valid', () => {
  expect(before.lookupHashes('Session', 'value')).toEqual(['PeK7U5zWn5U83FjKTRwxwzLZB2j67EukdrnfHZBla1c']);
  expect(before.tag('family', 'fam_1')).toBe('91MKrQoVcN_CKMFaLN6bGw');
  expect(before.cookieKeys()).toEqual(['i0IVRpTbD4Ew0OyFi70ma0ZWxFP0dX18eNggbyfTe5U']);
  expect(before.open('context', 'LGPvlEbUB-sPqrywPiZle_oM5gSY3I1ZN8MDjU2Wgbg')).toBe('text');
});
