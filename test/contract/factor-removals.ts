import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { FactorRemoval, FactorRemovals } from '../../provider/ports/factor-removals.ts';
import { useStores } from './fixture.ts';

export interface FactorRemovalsFixture {
  store: FactorRemovals;
  /** A second store over the same data, with its own connection. */
  another?(): FactorRemovals | Promise<FactorRemovals>;
  close(): Promise<void>;
}

/** Checks every sentence of `provider/ports/factor-removals.ts` on the store that `open` gives. */
export function factorRemovalsContract(name: string, open: () => Promise<FactorRemovalsFixture>): void {
  describe(`${name} keeps the contract of FactorRemovals`, () => {
    let store: FactorRemovals;
    let other: FactorRemovals;
    let accountId: string;
    useStores(open, (fixture, second) => {
      store = fixture.store;
      other = second;
    });
    beforeEach(() => {
      accountId = newId('user');
    });

    const now = Date.UTC(2026, 0, 1);
    const wish = (more: Partial<FactorRemoval> = {}): FactorRemoval => ({
      factorId: 'totp_1',
      uses: 3,
      tokenVersion: 1,
      dueAt: now + 10,
      expiresAt: now + 20,
      ...more,
    });

    test('a wish is found, and an unknown account has none', async () => {
      expect(await store.request(accountId, wish(), now)).toBe(true);
      expect(await other.find(accountId)).toEqual(wish());
      expect(await store.find(newId('user'))).toBeUndefined();
      expect(await store.find('\u0000')).toBeUndefined();
    });

    test('of parallel wishes for one state exactly one is stored, and it stays', async () => {
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 ? store : other).request(accountId, wish({ dueAt: now + index }), now),
        ),
      );
      expect(results.filter((isStored) => isStored)).toHaveLength(1);
      const stored = await store.find(accountId);
      expect(await store.request(accountId, wish({ dueAt: now + 500 }), now)).toBe(false);
      expect(await store.find(accountId)).toEqual(stored);
    });

    test.each([{ factorId: 'totp_2' }, { uses: 4 }, { tokenVersion: 2 }])(
      'a wish for another state replaces it: %j',
      async (state) => {
        await store.request(accountId, wish(), now);
        expect(await store.request(accountId, wish({ ...state, dueAt: now + 15 }), now)).toBe(true);
        expect(await store.find(accountId)).toEqual(wish({ ...state, dueAt: now + 15 }));
      },
    );

    test('a void wish is replaced', async () => {
      await store.request(accountId, wish(), now);
      expect(await store.request(accountId, wish({ expiresAt: now + 90 }), now + 20)).toBe(true);
      expect(await store.find(accountId)).toEqual(wish({ expiresAt: now + 90 }));
    });
  });
}
