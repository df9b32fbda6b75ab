import { describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { Leases } from '../../provider/ports/leases.ts';
import { waitFor } from '../support/wait-for.ts';
import { useStores } from './fixture.ts';

export interface LeasesFixture {
  store: Leases;
  /** A second store over the same data, with its own connection. */
  another?(): Leases | Promise<Leases>;
  close(): Promise<void>;
}

const hour = 3_600_000;

/** Checks every sentence of `provider/ports/leases.ts` on the store that `open` gives. */
export function leasesContract(name: string, open: () => Promise<LeasesFixture>): void {
  describe(`${name} keeps the contract of Leases`, () => {
    let store: Leases;
    let other: Leases;
    useStores(open, (fixture, second) => {
      store = fixture.store;
      other = second;
    });

    test('of 20 parallel attempts, one gets the lease', async () => {
      const work = newId('work');
      const attempts = Array.from({ length: 20 }, (_, at) =>
        (at % 2 === 0 ? store : other).hold(work, `holder_${at}`, hour),
      );
      expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
    });

    test('a holder can extend its lease, and another name is another lease', async () => {
      const [work, elsewhere] = [newId('work'), newId('work')];
      expect(await store.hold(work, 'one', hour)).toBe(true);
      expect(await store.hold(work, 'one', hour)).toBe(true);
      expect(await other.hold(work, 'two', hour)).toBe(false);
      expect(await other.hold(elsewhere, 'two', hour)).toBe(true);
    });

    test('a lease that is not extended goes to another holder, and the first does not get it back', async () => {
      const work = newId('work');
      expect(await store.hold(work, 'one', 50)).toBe(true);
      await waitFor(() => other.hold(work, 'two', hour), { what: 'the lease to expire' });
      expect(await store.hold(work, 'one', hour)).toBe(false);
    });

    test('an extended lease does not expire at the time of the first', async () => {
      const work = newId('work');
      expect(await store.hold(work, 'one', 50)).toBe(true);
      expect(await store.hold(work, 'one', hour)).toBe(true);
      const short = newId('work');
      await store.hold(short, 'one', 50);
      await waitFor(() => other.hold(short, 'two', hour), { what: 'a lease of the same length to expire' });
      expect(await other.hold(work, 'two', hour)).toBe(false);
    });

    test('only its holder can give a lease back', async () => {
      const work = newId('work');
      await store.hold(work, 'one', hour);
      await other.release(work, 'two');
      expect(await other.hold(work, 'two', hour)).toBe(false);
      await store.release(work, 'one');
      await store.release(work, 'one');
      expect(await other.hold(work, 'two', hour)).toBe(true);
    });
  });
}
