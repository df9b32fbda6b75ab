import { beforeEach, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../provider/lib/ids.ts';
import type { Artifact, OidcStore } from '../../provider/ports/oidc-store.ts';
import type { ManualClock } from '../support/manual-clock.ts';

const minute = 60_000;
const session = 'Session';

function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

export interface StoresUnderTest {
  store: OidcStore;
  /** A second store over the same data. */
  other: OidcStore;
  clock: ManualClock;
}

/** The part of `oidcStoreContract` that tests secondary keys. */
export function describeIndexes(opened: () => StoresUnderTest): void {
  let store: OidcStore;
  let other: OidcStore;
  let clock: ManualClock;
  beforeEach(() => {
    ({ store, other, clock } = opened());
  });

  const artifact = (changes: Partial<Artifact> = {}): Artifact => ({
    payload: randomToken(),
    expiresAt: clock.now() + minute,
    ...changes,
  });
  const either = (index: number) => (index % 2 === 0 ? store : other);

  describe('findByIndex', () => {
    test('finds the last artifact of the kind with the index key', async () => {
      const [first, last, indexKey] = [randomToken(), randomToken(), randomToken()];
      await store.put(session, first, artifact({ indexKey }));
      expect(await other.findByIndex(session, indexKey)).toMatchObject({ key: first, indexKey });
      await store.put(session, last, artifact({ indexKey }));
      expect(await other.findByIndex(session, indexKey)).toMatchObject({ key: last, indexKey });
      expect(await store.findByIndex('DeviceCode', indexKey)).toBeUndefined();
      expect(await store.findByIndex(session, randomToken())).toBeUndefined();
    });

    test('finds an artifact by its new index key after a change', async () => {
      const [key, before, after] = [randomToken(), randomToken(), randomToken()];
      await store.put(session, key, artifact({ indexKey: before }));
      await store.put(session, key, artifact({ indexKey: after }));
      expect(await store.findByIndex(session, before)).toBeUndefined();
      expect(await store.findByIndex(session, after)).toMatchObject({ key });
      await store.put(session, key, artifact());
      expect(await store.findByIndex(session, after)).toBeUndefined();
    });

    test('shows that an artifact was consumed', async () => {
      const [key, indexKey, at] = [randomToken(), randomToken(), clock.now()];
      await store.putIfAbsent('DeviceCode', key, artifact({ indexKey }));
      await store.consume('DeviceCode', key, at, 0);
      expect(await store.findByIndex('DeviceCode', indexKey)).toMatchObject({ key, consumedAt: at });
    });
  });

  describe('endIndex', () => {
    const expectGone = async (key: string, indexKey: string) => {
      expect(await other.find(session, key)).toBeUndefined();
      expect(await other.findByIndex(session, indexKey)).toBeUndefined();
      expect(await other.consume(session, key, clock.now(), 0)).toEqual({ outcome: 'missing' });
    };

    test('ends artifacts that were put before and artifacts that are put later', async () => {
      const [key, later, indexKey] = [randomToken(), randomToken(), randomToken()];
      await store.put(session, key, artifact({ indexKey }));
      await store.endIndex(session, indexKey, clock.now() + 5 * minute);
      await expectGone(key, indexKey);
      await store.put(session, key, artifact({ indexKey }));
      await expectGone(key, indexKey);
      await store.putIfAbsent(session, later, artifact({ indexKey }));
      await expectGone(later, indexKey);
    });

    test('ends also the earlier artifacts with the index key', async () => {
      const [first, last, indexKey] = [randomToken(), randomToken(), randomToken()];
      await store.put(session, first, artifact({ indexKey }));
      await store.put(session, last, artifact({ indexKey }));
      await store.endIndex(session, indexKey, clock.now() + minute);
      await expectGone(first, indexKey);
      await expectGone(last, indexKey);
    });

    test('does not change other kinds and other index keys', async () => {
      const [key, ended, indexKey] = [randomToken(), randomToken(), randomToken()];
      await store.put(session, key, artifact({ indexKey }));
      await store.put('DeviceCode', key, artifact({ indexKey: ended }));
      await store.endIndex(session, ended, clock.now() + minute);
      expect(await store.find(session, key)).toBeDefined();
      expect(await store.findByIndex('DeviceCode', ended)).toMatchObject({ key });
    });

    test('holds until the latest time given', async () => {
      const [key, indexKey, now] = [randomToken(), randomToken(), clock.now()];
      await store.endIndex(session, indexKey, now + 3 * minute);
      await store.endIndex(session, indexKey, now + minute);
      clock.advance(3 * minute - 1);
      await store.put(session, key, artifact({ indexKey }));
      await expectGone(key, indexKey);
      clock.advance(2);
      await store.put(session, key, artifact({ indexKey }));
      expect(await store.findByIndex(session, indexKey)).toMatchObject({ key });
    });

    test('takes effect in every race with a put', async () => {
      await times(30, async (index) => {
        const [key, indexKey] = [randomToken(), randomToken()];
        const put = () => either(index).put(session, key, artifact({ indexKey }));
        const end = () => either(index + 1).endIndex(session, indexKey, clock.now() + minute);
        await Promise.all([put(), end(), put()]);
        await expectGone(key, indexKey);
      });
    });
  });
}
