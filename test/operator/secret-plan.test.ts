import { describe, expect, test } from '@jest/globals';
import { digestOf, nextSecrets, planSecret, type SecretState } from '../../provider/operator/secret-plan.ts';

const now = Date.UTC(2030, 0, 1);
const hour = 3_600_000;
const inAnHour = new Date(now + hour).toISOString();
const [oldSecret, newSecret, other] = ['o'.repeat(43), 'n'.repeat(43), 'x'.repeat(43)];
const [old, next, third] = [digestOf(oldSecret), digestOf(newSecret), digestOf(other)];
const ends = (sha256: string, at = inAnHour) => ({ sha256, notAfter: at });
const held = { value: newSecret, owned: true, rotate: undefined, generatedAt: now };

const state = (change: Partial<SecretState>): SecretState => ({
  source: 'generated',
  name: 'shop-oidc',
  key: 'client_secret',
  secret: held,
  stored: [],
  rotate: undefined,
  rotateAfterMs: undefined,
  overlapMs: hour,
  now,
  ...change,
});

describe('what happens to a referenced secret', () => {
  const referenced = (change: Partial<SecretState>) => planSecret(state({ source: 'referenced', ...change }));

  test.each<[string, SecretState['secret'], string]>([
    ['no Secret', undefined, 'SecretNotFound'],
    ['a Secret without the key', { ...held, value: undefined }, 'SecretKeyNotFound'],
    ['an empty value', { ...held, value: '' }, 'SecretKeyNotFound'],
    ['a short value', { ...held, value: 'a'.repeat(31) }, 'SecretTooShort'],
  ])('%s: it waits', (_, secret, reason) => {
    expect(referenced({ secret })).toMatchObject({ kind: 'wait', finding: { status: 'False', reason } });
  });

  test('a Secret that another resource owns, or none, can be used', () => {
    expect(referenced({ secret: { ...held, owned: false } })).toMatchObject({
      kind: 'use',
      secrets: [{ sha256: next }],
    });
  });

  test('it is never rotated or made up', () => {
    const plan = referenced({ rotate: 'now', rotateAfterMs: 1, secret: { ...held, generatedAt: 0 } });
    expect(plan).toMatchObject({ kind: 'use' });
  });
});

describe('what happens to a generated secret', () => {
  test.each<[string, Partial<SecretState>, object]>([
    ['no Secret, no client', { secret: undefined }, { kind: 'write', why: 'SecretGenerated' }],
    [
      'a deleted Secret',
      { secret: undefined, stored: [{ sha256: old }] },
      { kind: 'write', why: 'SecretReplaced' },
    ],
    ['a Secret of another owner', { secret: { ...held, owned: false } }, { kind: 'wait' }],
    ['a Secret whose key was removed', { secret: { ...held, value: undefined } }, { kind: 'write' }],
    ['a Secret whose value was made short', { secret: { ...held, value: 'short' } }, { kind: 'write' }],
    ['a Secret that the store does not know', {}, { kind: 'use', secrets: [{ sha256: next }] }],
    [
      'a Secret with another value than the store',
      { stored: [{ sha256: old }] },
      { kind: 'use', secrets: [ends(old), { sha256: next }] },
    ],
    ['the same value', { stored: [{ sha256: next }] }, { kind: 'use', secrets: [{ sha256: next }] }],
    [
      'a rotation that was stopped after the store had the new secret',
      { stored: [ends(next), { sha256: third }] },
      { kind: 'rotate', keep: next },
    ],
    ['the annotation', { stored: [{ sha256: next }], rotate: '1' }, { kind: 'rotate', keep: next }],
    [
      'the annotation again after its rotation',
      { stored: [{ sha256: next }], rotate: '1', secret: { ...held, rotate: '1' } },
      { kind: 'use' },
    ],
    [
      'another value of the annotation',
      { stored: [{ sha256: next }], rotate: '2', secret: { ...held, rotate: '1' } },
      { kind: 'rotate' },
    ],
    [
      'the annotation was removed',
      { stored: [{ sha256: next }], secret: { ...held, rotate: '1' } },
      { kind: 'use' },
    ],
    [
      'its age reached',
      { rotateAfterMs: hour, secret: { ...held, generatedAt: now - hour } },
      { kind: 'rotate' },
    ],
    [
      'its age not reached',
      { rotateAfterMs: hour, secret: { ...held, generatedAt: now - hour + 1 } },
      { kind: 'use', rotateAt: now + 1 },
    ],
    ['no known age', { rotateAfterMs: hour, secret: { ...held, generatedAt: undefined } }, { kind: 'use' }],
  ])('%s', (_, change, plan) => {
    expect(planSecret(state(change))).toMatchObject(plan);
  });
});

describe('the digests of the store', () => {
  const digestsAfter = (
    stored: { sha256: string; notAfter?: string }[],
    sha256: string,
    overlapMs = hour,
    keep?: string,
  ) => nextSecrets(stored, sha256, { now, overlapMs, keep });

  test.each([
    ['the first', [], next, [{ sha256: next }]],
    ['the same again', [{ sha256: next }], next, [{ sha256: next }]],
    [
      'the same again, with one that ends',
      [ends(old), { sha256: next }],
      next,
      [ends(old), { sha256: next }],
    ],
    [
      'one that has ended',
      [ends(old, new Date(now).toISOString()), { sha256: next }],
      next,
      [{ sha256: next }],
    ],
    ['a new one', [{ sha256: old }], next, [ends(old), { sha256: next }]],
    [
      'a third one: the oldest ends at once',
      [ends(old), { sha256: next }],
      third,
      [ends(next), { sha256: third }],
    ],
    ['the one before, back again', [ends(old), { sha256: next }], old, [ends(next), { sha256: old }]],
  ])('%s', (_, stored, sha256, expected) => {
    expect(digestsAfter(stored, sha256)).toEqual(expected);
  });

  test('without overlap, the one before ends at once', () => {
    expect(digestsAfter([{ sha256: old }], next, 0)).toEqual([{ sha256: next }]);
  });

  test('the digest that apps use is kept, not one that no app knows', () => {
    expect(digestsAfter([ends(old), { sha256: third }], next, hour, old)).toEqual([
      ends(old),
      { sha256: next },
    ]);
  });

  test('a second application changes nothing', () => {
    const once = digestsAfter([{ sha256: old }], next);
    expect(nextSecrets(once, next, { now: now + 1000, overlapMs: hour })).toEqual(once);
  });
});
