import { beforeEach, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../provider/lib/ids.ts';
import type { RevocationCache } from '../../provider/ports/revocation-cache.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { useStores } from './fixture.ts';

export interface DenylistCopyFixture {
  store: RevocationCache;
  /** The clock that the store uses. It starts near the real time. */
  clock: ManualClock;
  /** A second one over the same data, with its own connection. */
  another?(): RevocationCache | Promise<RevocationCache>;
  /** Simulates a server that restarts without its data. */
  loseData(): void | Promise<void>;
  close(): Promise<void>;
}

const minute = 60_000;
const jti = (): RevocationKey => `jti:${randomToken()}`;

/** Checks every sentence of `provider/ports/revocation-cache.ts` on the store that `open` gives. */
export function revocationCacheContract(name: string, open: () => Promise<DenylistCopyFixture>): void {
  describe(`${name} keeps the contract of RevocationCache`, () => {
    let fixture: DenylistCopyFixture;
    let store: RevocationCache;
    let other: RevocationCache;
    let clock: ManualClock;

    useStores(open, (opened, second) => {
      fixture = opened;
      ({ store, clock } = fixture);
      other = second;
    });
    beforeEach(() => fixture.loseData());

    const makeWhole = async () => expect(await store.declareComplete(await store.begin())).toBe(true);

    test('a copy that was never declared complete answers nothing, whatever was put', async () => {
      const key = jti();
      await store.put([{ key, expiresAt: clock.now() + minute }]);
      await store.begin();
      expect(await store.anyRevoked([key])).toBeUndefined();
      expect(await other.anyRevoked([jti()])).toBeUndefined();
    });

    test('a complete copy knows entries from before and after the declaration, and nothing else', async () => {
      const [early, late] = [jti(), 'family:odd/ü {x}' as const];
      const begun = await store.begin();
      await store.put([{ key: early, expiresAt: clock.now() + minute }]);
      expect(await other.declareComplete(begun)).toBe(true);
      await other.put([{ key: late, expiresAt: clock.now() + minute }]);
      for (const asked of [store, other]) {
        expect(await asked.anyRevoked([jti(), early])).toBe(true);
        expect(await asked.anyRevoked([late])).toBe(true);
        expect(await asked.anyRevoked([jti(), 'sid:x', 'client:demo'])).toBe(false);
        expect(await asked.anyRevoked([])).toBe(false);
      }
    });

    test('a copy that lost its data answers nothing, even after a new put', async () => {
      await makeWhole();
      await fixture.loseData();
      const key = jti();
      await store.put([{ key, expiresAt: clock.now() + minute }]);
      expect(await store.anyRevoked([key])).toBeUndefined();
      expect(await other.anyRevoked([key])).toBeUndefined();
      await makeWhole();
      expect(await other.anyRevoked([key])).toBe(true);
    });

    test('a copy that loses its data before the declaration cannot be declared complete', async () => {
      const begun = await store.begin();
      await store.put([{ key: jti(), expiresAt: clock.now() + minute }]);
      await fixture.loseData();
      expect(await store.declareComplete(begun)).toBe(false);
      expect(await store.anyRevoked([jti()])).toBeUndefined();
    });

    test('two parallel begins can both be declared complete, and each only once', async () => {
      const [one, two] = [await store.begin(), await other.begin()];
      expect(await store.declareComplete(one)).toBe(true);
      expect(await other.declareComplete(two)).toBe(true);
      expect(await store.declareComplete(one)).toBe(false);
      expect(await store.anyRevoked([jti()])).toBe(false);
    });

    test('an entry lasts until its expiry; the later of two expiries counts', async () => {
      await makeWhole();
      const [longFirst, shortFirst] = [jti(), jti()];
      const now = clock.now();
      await store.put([{ key: longFirst, expiresAt: now + 2 * minute }]);
      await other.put([
        { key: longFirst, expiresAt: now + minute },
        { key: shortFirst, expiresAt: now + minute },
      ]);
      await store.put([{ key: shortFirst, expiresAt: now + 2 * minute }]);
      clock.advance(2 * minute - 1);
      for (const key of [longFirst, shortFirst]) expect(await other.anyRevoked([key])).toBe(true);
      clock.advance(2);
      expect(await store.anyRevoked([longFirst, shortFirst])).toBe(false);
    });

    test('put accepts 500 entries, none, and an expired one', async () => {
      await makeWhole();
      const keys = Array.from({ length: 500 }, jti);
      await store.put(keys.map((key) => ({ key, expiresAt: clock.now() + minute })));
      for (const key of [keys[0], keys[499]])
        expect(await other.anyRevoked([key as RevocationKey])).toBe(true);
      await store.put([]);
      const over = jti();
      await store.put([{ key: over, expiresAt: clock.now() - 1 }]);
      expect(await store.anyRevoked([over])).toBe(false);
    });
  });
}
