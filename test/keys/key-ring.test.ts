import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { type CurrentKeys, createKeyRing, type KeyRing } from '../../provider/keys/key-ring.ts';
import { parseKeySet, serializeKeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet, type NewKey, rotate } from '../../provider/keys/rotation.ts';
import type { StoredKeySet } from '../../provider/ports/key-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryKeyStore } from '../support/memory/key-store.ts';
import { waitFor } from '../support/wait-for.ts';

const times = { tokenSeconds: 900, leadSeconds: 10_800, keptSeconds: 100_000 };

/** A store that can fail or return another value. */
class MoodyKeyStore extends MemoryKeyStore {
  mood: (() => StoredKeySet | undefined) | undefined;

  override async load(): Promise<StoredKeySet | undefined> {
    return this.mood === undefined ? super.load() : this.mood();
  }
}

const down = () => {
  throw new Error('the store is down');
};

describe('createKeyRing', () => {
  let first: NewKey;
  let second: NewKey;
  let store: MoodyKeyStore;
  let clock: ReturnType<typeof createManualClock>;
  let lines: string[];
  let failures: number;
  let ring: KeyRing;
  let told: CurrentKeys[];

  const open = (pollSeconds: number) => {
    const write = (_: object, message: string) => void lines.push(message);
    const countFailure = () => {
      failures += 1;
    };
    ring = createKeyRing({
      store,
      clock,
      logger: { info: write, warn: write, error: write },
      metrics: { keysReloadFailures: { inc: countFailure } },
      pollSeconds,
      ...times,
    });
    ring.onChange((keys) => told.push(keys));
  };
  /** Saves a set of one key in the store. */
  const seed = () => store.save(serializeKeySet(firstKeySet(first, clock.now())), undefined);
  const rotateStored = async () => {
    const stored = await store.load();
    const set = rotate(parseKeySet(stored?.value ?? ''), second, clock.now(), times.leadSeconds);
    await store.save(serializeKeySet(set), stored?.version);
  };

  /** Counts the reads of the store from now on. All of them fail. */
  const countLooks = () => {
    const looks = { count: 0 };
    store.mood = () => {
      looks.count += 1;
      return undefined;
    };
    return looks;
  };

  beforeAll(async () => {
    first = await generateKey();
    second = await generateKey();
  });
  beforeEach(async () => {
    store = new MoodyKeyStore();
    clock = createManualClock();
    await seed();
    lines = [];
    failures = 0;
    told = [];
    open(3600);
  });
  afterEach(() => ring.close());

  test('returns the stored set', async () => {
    await ring.start();
    expect(ring.current().signing.kid).toBe(first.kid);
  });

  test('creates the first set and returns it', async () => {
    store = new MoodyKeyStore();
    open(3600);
    await ring.start();
    const { signing, published, kept, version } = ring.current();
    expect([published, kept]).toEqual([[signing], [signing]]);
    expect(version).toBe((await store.load())?.version);
  });

  test('rejects the start if no set can be read', async () => {
    store.mood = down;
    await expect(ring.start()).rejects.toThrow('the store is down');
    expect(() => ring.current()).toThrow('before it was started');
  });

  test('uses a new version and notifies its listeners once', async () => {
    await ring.start();
    told = [];
    await rotateStored();
    await ring.refresh();
    await ring.refresh();
    expect(told).toHaveLength(1);
    expect(told[0]?.published).toHaveLength(2);
    expect(ring.current()).toEqual(told[0]);
  });

  test('changes keys by the clock without a new version', async () => {
    await rotateStored();
    await ring.start();
    const before = ring.current().signing.kid;
    told = [];
    clock.advance(times.leadSeconds * 1000);
    expect(ring.current().signing.kid).not.toBe(before);
    await ring.refresh();
    expect(told.map(({ signing }) => signing.kid)).toEqual([ring.current().signing.kid]);
    clock.advance((times.leadSeconds + times.tokenSeconds) * 1000);
    await ring.refresh();
    expect(told.at(-1)?.published).toHaveLength(1);
    expect(told.at(-1)?.kept).toHaveLength(2);
  });

  test('changes keys by the clock while the store is unreachable', async () => {
    await rotateStored();
    await ring.start();
    told = [];
    store.mood = down;
    clock.advance(times.leadSeconds * 1000);
    await ring.refresh();
    expect(told).toHaveLength(1);
  });

  test.each([
    ['fails', down],
    ['is empty', () => undefined],
    ['returns an invalid value', () => ({ version: 'x', value: '{}' })],
  ])(
    'keeps the last good set while the store %s, counts the failures, logs one, and recovers',
    async (_, mood) => {
      await ring.start();
      const before = ring.current();
      store.mood = mood;
      lines = [];
      await ring.refresh();
      await ring.refresh();
      expect(ring.current()).toEqual(before);
      expect(failures).toBe(2);
      expect(lines).toEqual(['key set cannot be read, keeping the last good one']);
      store.mood = undefined;
      await rotateStored();
      await ring.refresh();
      expect(ring.current().published).toHaveLength(2);
      expect(lines).toContain('key set can be read again');
    },
  );

  test('warns if a new set lacks the last signing key', async () => {
    await ring.start();
    const other = serializeKeySet(firstKeySet(second, clock.now()));
    store.mood = () => ({ value: other, version: 'other' });
    await ring.refresh();
    expect(lines).toContain('new key set lacks the last signing key, its tokens are refused');
  });

  test('notifies a listener again after it failed', async () => {
    await ring.start();
    let calls = 0;
    ring.onChange(() => {
      calls += 1;
      if (calls === 1) throw new Error('not now');
    });
    await rotateStored();
    await ring.refresh();
    expect(calls).toBe(1);
    await ring.refresh();
    await ring.refresh();
    expect(calls).toBe(2);
  });

  test('does not notify a removed listener', async () => {
    await ring.start();
    let calls = 0;
    const stop = ring.onChange(() => {
      calls += 1;
    });
    stop();
    await rotateStored();
    await ring.refresh();
    expect(calls).toBe(0);
  });

  test('finds a new version by polling', async () => {
    open(0.01);
    await ring.start();
    await rotateStored();
    await waitFor(() => ring.current().published.length === 2, { what: 'the ring to look by itself' });
  });

  test('changes the signing key on time between two polls', async () => {
    await rotateStored();
    await ring.start();
    await ring.close();
    told = [];
    clock.advance(times.leadSeconds * 1000 - 5);
    open(3600);
    await ring.start();
    const before = ring.current().signing.kid;
    clock.advance(5);
    await waitFor(() => told.at(-1)?.signing.kid !== before, { what: 'the change to be told' });
  });

  test('does not read the store after it is closed', async () => {
    open(0.01);
    await ring.start();
    await ring.close();
    const closed = countLooks();
    store = new MoodyKeyStore();
    await seed();
    open(0.01);
    await ring.start();
    const running = countLooks();
    await waitFor(() => running.count > 5, { what: 'another ring to look a few times' });
    expect(closed.count).toBe(0);
  });
});
