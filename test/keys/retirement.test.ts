import { beforeAll, describe, expect, test } from '@jest/globals';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { publishedKeys, signingKey } from '../../provider/keys/key-schedule.ts';
import { type KeySet, parseKeySet, serializeKeySet } from '../../provider/keys/key-set.ts';
import { type Retirement, remove, retire } from '../../provider/keys/retirement.ts';
import { firstKeySet, type NewKey, rotate } from '../../provider/keys/rotation.ts';

const hour = 3_600_000;
const times = { tokenSeconds: 900, leadSeconds: 3 * 3600 };
const { leadSeconds } = times;

let a: NewKey;
let b: NewKey;
let c: NewKey;
beforeAll(async () => {
  [a, b, c] = [await generateKey(), await generateKey(), await generateKey()];
});

/** Key a signs from 0 on. Key b is published at 10 h and signs from 13 h on. */
const rotatedSet = () => rotate(firstKeySet(a, 0), b, 10 * hour, leadSeconds);
const setOf = (retirement: Retirement): KeySet => {
  if (!('set' in retirement)) throw new Error(`the outcome is ${retirement.outcome}`);
  // A set that the store refuses later would be useless.
  return parseKeySet(serializeKeySet(retirement.set));
};
const signer = (set: KeySet, now: number) => signingKey(set, now).kid;
const published = (set: KeySet, now: number) => publishedKeys(set, now, times).map(({ kid }) => kid);

describe('retire', () => {
  const at = (kid: string, now: number, set = rotatedSet()) =>
    retire(set, { kid, now, successor: c, leadSeconds });

  test('replaces the only key after the lead time', () => {
    const retirement = at(a.kid, 5 * hour, firstKeySet(a, 0));
    expect(retirement).toMatchObject({ outcome: 'replaced', retiredAt: 8 * hour });
    expect(signer(setOf(retirement), 8 * hour - 1)).toBe(a.kid);
    expect(signer(setOf(retirement), 8 * hour)).toBe(c.kid);
  });

  test('changes nothing for a key that will retire anyway, or that is unknown', () => {
    expect(at(a.kid, 11 * hour)).toEqual({ outcome: 'unchanged', retiredAt: 13 * hour });
    expect(at(a.kid, 14 * hour)).toEqual({ outcome: 'unchanged', retiredAt: 13 * hour });
    expect(at(c.kid, 14 * hour)).toEqual({ outcome: 'unknown' });
  });

  test('withdraws a key that does not sign yet: the key before it goes on, and the withdrawn one stays published', () => {
    const set = setOf(at(b.kid, 11 * hour));
    for (const now of [11 * hour, 13 * hour, 1000 * hour]) expect(signer(set, now)).toBe(a.kid);
    expect(published(set, 13 * hour)).toEqual([a.kid, b.kid]);
    expect(published(set, 15 * hour)).toEqual([a.kid]);
  });
});

describe('remove', () => {
  const at = (kid: string, now: number, set = rotatedSet()) =>
    remove(set, { kid, now, successor: c, leadSeconds });

  test('takes a key out at once, and the key that is published already signs', () => {
    const set = setOf(at(a.kid, 11 * hour));
    expect(published(set, 11 * hour)).toEqual([b.kid]);
    // Other processes may be a minute behind.
    expect(signer(set, 11 * hour - 60_000)).toBe(b.kid);
  });

  test('takes the key that is published for the longest time, and the later one follows in its turn', () => {
    const set = setOf(at(a.kid, 12 * hour, rotate(rotatedSet(), c, 11 * hour, leadSeconds)));
    expect(signer(set, 12 * hour)).toBe(b.kid);
    expect(signer(set, 14 * hour)).toBe(c.kid);
  });

  test('makes a new key if there is no other', () => {
    const retirement = at(a.kid, 5 * hour, firstKeySet(a, 0));
    expect(retirement).toMatchObject({ outcome: 'removed', signing: { kid: c.kid, publishedAt: 5 * hour } });
    expect(published(setOf(retirement), 5 * hour)).toEqual([c.kid]);
  });

  test('does not take a retired key back into use', () => {
    const set = setOf(at(b.kid, 14 * hour));
    expect(signer(set, 14 * hour)).toBe(c.kid);
    expect(published(set, 14 * hour)).toEqual([c.kid, a.kid]);
  });

  test('removes a retired key and a later key, and the signing key goes on', () => {
    expect(published(setOf(at(a.kid, 14 * hour)), 14 * hour)).toEqual([b.kid]);
    const withoutNext = setOf(at(b.kid, 11 * hour));
    expect(published(withoutNext, 11 * hour)).toEqual([a.kid]);
    expect(signer(withoutNext, 1000 * hour)).toBe(a.kid);
  });
});
