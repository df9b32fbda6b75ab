import { describe, expect, test } from '@jest/globals';
import { randomToken } from '../../provider/lib/ids.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { RevocationStore } from '../../provider/ports/revocation-store.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { useStores } from './fixture.ts';

export interface DenylistFixture {
  store: RevocationStore;
  /** The clock that the store uses. It starts near the real time. */
  clock: ManualClock;
  /** A second store over the same data, with its own connection. */
  another?(): RevocationStore | Promise<RevocationStore>;
  close(): Promise<void>;
}

const minute = 60_000;
const jti = (): RevocationKey => `jti:${randomToken()}`;

/** Checks every sentence of `provider/ports/revocation-store.ts` on the store that `open` gives. */
export function revocationStoreContract(name: string, open: () => Promise<DenylistFixture>): void {
  describe(`${name} keeps the contract of RevocationStore`, () => {
    let store: RevocationStore;
    let other: RevocationStore;
    let clock: ManualClock;

    useStores(open, (fixture, second) => {
      ({ store, clock } = fixture);
      other = second;
    });

    test('all readers see revoked keys, and no other key is revoked', async () => {
      const keys: RevocationKey[] = [jti(), `family:${randomToken()}`, `sid:a:b`, 'client:demo/ü web'];
      await store.revoke(keys, clock.now() + minute);
      for (const key of keys) {
        expect(await store.anyRevoked([key])).toBe(true);
        expect(await other.anyRevoked([jti(), key, jti()])).toBe(true);
      }
      expect(await store.anyRevoked([jti(), 'family:other', 'client:demo'])).toBe(false);
    });

    test('keys of different kinds are independent', async () => {
      const name = randomToken();
      await store.revoke([`jti:${name}`], clock.now() + minute);
      expect(await store.anyRevoked([`family:${name}`, `sid:${name}`, `client:${name}`])).toBe(false);
    });

    test('a revocation lasts until its time and no longer', async () => {
      const key = jti();
      await store.revoke([key], clock.now() + minute);
      clock.advance(minute - 1);
      expect(await store.anyRevoked([key])).toBe(true);
      clock.advance(2);
      expect(await store.anyRevoked([key])).toBe(false);
      await store.revoke([key], clock.now() + minute);
      expect(await store.anyRevoked([key])).toBe(true);
    });

    test('the later expiry of two revocations is kept, in either order', async () => {
      const [longFirst, shortFirst] = [jti(), jti()];
      const now = clock.now();
      await store.revoke([longFirst], now + 3 * minute);
      await other.revoke([longFirst], now + minute);
      await store.revoke([shortFirst], now + minute);
      await other.revoke([shortFirst], now + 3 * minute);
      clock.advance(2 * minute);
      expect(await store.anyRevoked([longFirst])).toBe(true);
      expect(await store.anyRevoked([shortFirst])).toBe(true);
    });

    test('the latest expiry of 30 parallel revocations is kept', async () => {
      const keys = Array.from({ length: 200 }, jti);
      // Use both orders. An implementation that locks keys one by one would deadlock.
      const reversed = [...keys].reverse();
      const now = clock.now();
      await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          (index % 2 === 0 ? store : other).revoke(
            index % 3 === 0 ? keys : reversed,
            now + (((index * 7) % 30) + 1) * minute,
          ),
        ),
      );
      clock.advance(30 * minute - 1);
      for (const key of keys.slice(0, 20)) expect(await store.anyRevoked([key])).toBe(true);
      clock.advance(2);
      expect(await store.anyRevoked(keys)).toBe(false);
    });

    test('no keys, duplicate keys and unusual keys cause no error', async () => {
      const key = jti();
      await store.revoke([], clock.now() + minute);
      expect(await store.anyRevoked([])).toBe(false);
      await store.revoke([key, key], clock.now() + minute);
      expect(await store.anyRevoked([key, key])).toBe(true);
      expect(await store.anyRevoked(['jti:a\0b', "jti:' or '1'='1", 'jti:{",\\}', 'jti:'])).toBe(false);
      expect(await store.anyRevoked(['jti:a\0b', key])).toBe(true);
    });

    const allInForce = async (recentSeconds?: number) => {
      const all: RevocationKey[] = [];
      for (let page = await store.inForce({ limit: 7, recentSeconds }); page.length > 0; ) {
        all.push(...page.map(({ key }) => key));
        page = await other.inForce({ after: all.at(-1), limit: 7, recentSeconds });
      }
      return all;
    };

    test('revocations in force are listed in pages, each once, and expired ones are not', async () => {
      const keys = Array.from({ length: 20 }, jti);
      const over = jti();
      await store.revoke(keys, clock.now() + minute);
      await store.revoke([over], clock.now() + 1);
      clock.advance(2);
      const listed = await allInForce();
      expect(listed.filter((key) => keys.includes(key)).sort()).toEqual([...keys].sort());
      expect(new Set(listed).size).toBe(listed.length);
      expect(listed).not.toContain(over);
      const [first] = await store.inForce({ limit: 1 });
      expect(first?.expiresAt).toBeGreaterThan(clock.now());
    });

    test('recent revocations are listed separately, by the clock of the store, and again after another revocation', async () => {
      const key = jti();
      await store.revoke([key], clock.now() + minute);
      expect(await allInForce(60)).toContain(key);
      expect(await allInForce(0)).toEqual([]);
      await other.revoke([key], clock.now() + minute / 2);
      expect(await allInForce(60)).toContain(key);
    });
  });
}
