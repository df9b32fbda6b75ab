import { describe, expect, test } from '@jest/globals';
import type { MailSuppression, MailSuppressions } from '../../provider/ports/mail-suppressions.ts';
import { useStores } from './fixture.ts';

export interface MailSuppressionsFixture {
  /** Without entries. */
  store: MailSuppressions;
  /** A second one over the same data, with its own connections. */
  another?(): MailSuppressions;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 0, 1);

export const sampleSuppression = (changes: Partial<MailSuppression> = {}): MailSuppression => ({
  address: 'gone@example.com',
  reason: 'bounce',
  at: now,
  expiresAt: now + 1000,
  ...changes,
});

/** Checks every sentence of `provider/ports/mail-suppressions.ts` on what `open` gives. */
export function mailSuppressionsContract(name: string, open: () => Promise<MailSuppressionsFixture>): void {
  describe(`${name} keeps the contract of MailSuppressions`, () => {
    let store: MailSuppressions;
    let other: MailSuppressions;
    useStores(
      open,
      (fixture, second) => {
        store = fixture.store;
        other = second;
      },
      'test',
    );

    test('an address is found in every spelling, by every process, and no other one is', async () => {
      await store.add(sampleSuppression({ address: 'Jörg.Gone@Bücher.example.' }));
      const found = sampleSuppression({ address: 'jörg.gone@xn--bcher-kva.example' });
      for (const spelling of ['jörg.gone@bücher.example', 'JÖRG.GONE@xn--bcher-kva.example'])
        expect(await other.find(spelling, now)).toEqual(found);
      for (const unknown of [
        'gone@bücher.example',
        '',
        'no address',
        'a\0b@example.com',
        '\ud800@example.com',
      ])
        expect(await other.find(unknown, now)).toBeUndefined();
    });

    test('an entry ends when it expires', async () => {
      await store.add(sampleSuppression());
      expect(await store.find('gone@example.com', now + 999)).toEqual(sampleSuppression());
      expect(await store.find('gone@example.com', now + 1000)).toBeUndefined();
      expect(await store.list(10, now + 999)).toEqual([sampleSuppression()]);
      expect(await store.list(10, now + 1000)).toEqual([]);
    });

    test('of several entries of one address the latest counts, whatever the order', async () => {
      const [early, late] = [
        sampleSuppression(),
        sampleSuppression({ reason: 'complaint', at: now + 5, expiresAt: now + 1005 }),
      ];
      for (const order of [
        [early, late],
        [late, early],
      ]) {
        for (const entry of order) await store.add({ ...entry, address: 'GONE@example.com' });
        expect(await other.list(10, now)).toEqual([late]);
        await store.remove('gone@example.com');
      }
      await Promise.all([early, late, early, late].map((entry, at) => (at % 2 ? store : other).add(entry)));
      expect(await store.list(10, now)).toEqual([late]);
    });

    test('the list begins with the newest, and is as long as wanted', async () => {
      const all = ['a', 'b', 'c'].map((name, at) =>
        sampleSuppression({ address: `${name}@example.com`, at: now + at }),
      );
      for (const entry of all) await store.add(entry);
      expect(await other.list(10, now)).toEqual([...all].reverse());
      expect((await other.list(2, now)).map(({ address }) => address)).toEqual([
        'c@example.com',
        'b@example.com',
      ]);
    });

    test('nothing is left of a removed entry', async () => {
      await store.add(sampleSuppression());
      await store.add(sampleSuppression({ address: 'other@example.com' }));
      expect(await other.remove('Gone@Example.com')).toBe(true);
      expect(await store.remove('gone@example.com')).toBe(false);
      expect(await store.find('gone@example.com', now)).toBeUndefined();
      expect((await store.list(10, now)).map(({ address }) => address)).toEqual(['other@example.com']);
      expect(await store.remove('a\0b@example.com')).toBe(false);
    });
  });
}
