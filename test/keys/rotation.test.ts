import { describe, expect, test } from '@jest/globals';
import { signingKey } from '../../provider/keys/key-schedule.ts';
import { parseKeySet } from '../../provider/keys/key-set.ts';
import { ensureKeySet, rotateStoredKeySet } from '../../provider/keys/rotation.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryKeyStore } from '../support/memory/key-store.ts';

const times = { tokenSeconds: 900, leadSeconds: 10_800, keptSeconds: 100_000 };
const newStore = () => ({ store: new MemoryKeyStore(), clock: createManualClock() });

describe('ensureKeySet', () => {
  test('creates one set in ten parallel calls and returns it to all of them', async () => {
    const deps = newStore();
    const sets = await Promise.all(Array.from({ length: 10 }, () => ensureKeySet(deps)));
    expect(new Set(sets.map(({ value }) => value)).size).toBe(1);
    expect(new Set(sets.map(({ version }) => version)).size).toBe(1);
    expect(parseKeySet(sets[0]?.value ?? '').keys).toHaveLength(1);
  });

  test('does not change an existing set', async () => {
    const deps = newStore();
    const first = await ensureKeySet(deps);
    deps.clock.advance(1000);
    expect(await ensureKeySet(deps)).toEqual(first);
  });

  test('creates a key that signs at once', async () => {
    const deps = newStore();
    const set = parseKeySet((await ensureKeySet(deps)).value);
    expect(signingKey(set, deps.clock.now())).toMatchObject({
      publishedAt: deps.clock.now(),
      signsFrom: deps.clock.now(),
    });
  });
});

describe('rotateStoredKeySet', () => {
  test('adds a key that signs after the lead time, and returns its id', async () => {
    const { store, clock } = newStore();
    await ensureKeySet({ store, clock });
    const result = await rotateStoredKeySet({ store, clock, times });
    const signsFrom = clock.now() + times.leadSeconds * 1000;
    const set = parseKeySet((await store.load())?.value ?? '');
    expect(result).toEqual({ outcome: 'rotated', kid: signingKey(set, signsFrom).kid, signsFrom });
    expect(signingKey(set, signsFrom - 1).kid).not.toBe(signingKey(set, signsFrom).kid);
  });

  test('adds one key in five parallel calls, and the other calls report the conflict', async () => {
    const { store, clock } = newStore();
    await ensureKeySet({ store, clock });
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => rotateStoredKeySet({ store, clock, times })));
    expect(results.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'lost')).toHaveLength(4);
    expect(parseKeySet((await store.load())?.value ?? '').keys).toHaveLength(2);
  });

  test('drops keys that are not needed any more', async () => {
    const { store, clock } = newStore();
    for (let turn = 0; turn < 4; turn += 1) {
      await rotateStoredKeySet({ store, clock, times });
      clock.advance((times.leadSeconds + times.keptSeconds) * 1000);
    }
    expect(parseKeySet((await store.load())?.value ?? '').keys).toHaveLength(2);
  });
});
