import { describe, expect, test } from '@jest/globals';
import type { ExpiredRows } from '../../provider/ports/expired-rows.ts';
import { useFixture } from './fixture.ts';

export interface ExpiredRowsFixture {
  rows: ExpiredRows;
  /** Creates this number of rows that expire at this time, spread over all the tables with an expiry. */
  fill(count: number, expiresAt: number): Promise<void>;
  /** Returns the number of rows, expired or not. */
  count(): Promise<number>;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 0, 1);

/** Checks every sentence of `provider/ports/expired-rows.ts` on what `open` gives. */
export function expiredRowsContract(name: string, open: () => Promise<ExpiredRowsFixture>): void {
  describe(`${name} keeps the contract of ExpiredRows`, () => {
    const fixture = useFixture(open, 'test');

    test('deletes expired rows and no others', async () => {
      await fixture().fill(10, now - 1);
      await fixture().fill(7, now + 1);
      expect(await fixture().rows.sweep(1_000, now)).toBe(10);
      expect(await fixture().count()).toBe(7);
      expect(await fixture().rows.sweep(1_000, now)).toBe(0);
    });

    test('deletes at most the given number of rows per call, until none is left', async () => {
      await fixture().fill(25, now - 1);
      const deleted: number[] = [];
      for (let more = 1; more > 0; ) {
        more = await fixture().rows.sweep(4, now);
        deleted.push(more);
      }
      expect(deleted).toEqual([4, 4, 4, 4, 4, 4, 1, 0]);
      expect(await fixture().count()).toBe(0);
    });

    test('8 parallel sweeps delete each row once', async () => {
      await fixture().fill(60, now - 1);
      await fixture().fill(5, now + 1);
      let deleted = 0;
      // A sweep skips rows that another sweep has locked, so repeat until all are deleted.
      while ((await fixture().count()) > 5) {
        const sweeps = await Promise.all(Array.from({ length: 8 }, () => fixture().rows.sweep(10, now)));
        deleted += sweeps.reduce((sum, count) => sum + count, 0);
      }
      expect(deleted).toBe(60);
    });
  });
}
