import { describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import {
  type AccountIndex,
  type AccountIndexEntry,
  mostEntriesOfAccount,
} from '../../provider/ports/account-index.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { useStores } from './fixture.ts';

export interface AccountIndexFixture {
  store: AccountIndex;
  /** The clock that the store uses. It starts near the real time. */
  clock: ManualClock;
  /** A second store over the same data, with its own connection. */
  another?(): AccountIndex | Promise<AccountIndex>;
  close(): Promise<void>;
}

const minute = 60_000;

/** Checks every sentence of `provider/ports/account-index.ts` on the store that `open` gives. */
export function accountIndexContract(name: string, open: () => Promise<AccountIndexFixture>): void {
  describe(`${name} keeps the contract of AccountIndex`, () => {
    let store: AccountIndex;
    let other: AccountIndex;
    let clock: ManualClock;

    useStores(open, (fixture, second) => {
      ({ store, clock } = fixture);
      other = second;
    });

    const newEntry = (changes: Partial<AccountIndexEntry> = {}): AccountIndexEntry => ({
      kind: 'session',
      id: newId('place'),
      details: randomToken(),
      usedAt: clock.now(),
      expiresAt: clock.now() + minute,
      ...changes,
    });
    const either = (index: number) => (index % 2 === 0 ? store : other);
    const sorted = (entries: AccountIndexEntry[]) =>
      [...entries].sort((one, two) => (one.id < two.id ? -1 : 1));
    const expectListed = async (account: string, entries: AccountIndexEntry[]) => {
      for (const index of [store, other]) expect(sorted(await index.list(account))).toEqual(sorted(entries));
    };
    /** Puts all entries in parallel, fifty at a time. */
    const putAll = async (account: string, entries: AccountIndexEntry[]) => {
      for (let start = 0; start < entries.length; start += 50) {
        const some = entries.slice(start, start + 50);
        await Promise.all(some.map((entry, index) => either(index).put(account, entry)));
      }
    };

    describe('put and list', () => {
      test('return the entries of the account through any connection, and of no other account', async () => {
        const [account, neighbour] = [newId('user'), newId('user')];
        const [session, family] = [newEntry(), newEntry({ kind: 'family', details: 'ü "{}:\n' })];
        await store.put(account, session);
        await other.put(account, family);
        await store.put(neighbour, newEntry());
        await expectListed(account, [session, family]);
        expect(await store.list(newId('user'))).toEqual([]);
      });

      test('replace an existing entry completely', async () => {
        const account = newId('user');
        const [entry, kept] = [newEntry(), newEntry()];
        await putAll(account, [entry, kept]);
        const longer = newEntry({ id: entry.id, kind: 'family', expiresAt: clock.now() + 2 * minute });
        await other.put(account, longer);
        await expectListed(account, [longer, kept]);
        const shorter = newEntry({ id: entry.id, expiresAt: clock.now() + 10 });
        await store.put(account, shorter);
        await expectListed(account, [shorter, kept]);
        clock.advance(11);
        await expectListed(account, [kept]);
      });

      test('keep entries of two accounts with the same id apart', async () => {
        const [one, two] = [newId('user'), newId('user')];
        const [first, second] = [newEntry(), newEntry()];
        await store.put(one, first);
        await store.put(two, { ...second, id: first.id });
        await expectListed(one, [first]);
        await store.remove(one, first.id);
        await expectListed(two, [{ ...second, id: first.id }]);
      });

      test('accept unusual ids', async () => {
        for (const odd of [
          '-',
          'A',
          'a',
          '',
          '__proto__',
          'constructor',
          '}',
          'a}b{',
          'ü',
          'x'.repeat(128),
        ]) {
          const [mine, under] = [newEntry({ id: odd }), newEntry()];
          await putAll(odd, [mine, under]);
          await expectListed(odd, [mine, under]);
          await store.remove(odd, odd);
          await expectListed(odd, [under]);
          await store.remove(odd, under.id);
          await expectListed(odd, []);
        }
      });

      test('return nothing for unknown accounts', async () => {
        expect(await store.list('a\0b')).toEqual([]);
        await store.remove('a\0b', 'c');
        await store.remove('c', 'a\0b');
      });
    });

    describe('in parallel', () => {
      test('keeps 100 different entries of one account', async () => {
        const account = newId('user');
        const entries = Array.from({ length: 100 }, (_, index) =>
          newEntry({ expiresAt: clock.now() + minute + index }),
        );
        await Promise.all(entries.map((entry, index) => either(index).put(account, entry)));
        await expectListed(account, entries);
      });

      test('keeps exactly one of 100 puts of one entry, and then a later put', async () => {
        const [account, id] = [newId('user'), newId('place')];
        const entries = Array.from({ length: 100 }, (_, index) =>
          newEntry({ id, kind: index % 3 ? 'family' : 'session', expiresAt: clock.now() + minute + index }),
        );
        await Promise.all(entries.map((entry, index) => either(index).put(account, entry)));
        const listed = await store.list(account);
        expect(listed).toHaveLength(1);
        expect(entries).toContainEqual(listed[0]);
        const last = newEntry({ id });
        await other.put(account, last);
        await expectListed(account, [last]);
      });

      test('does not change an entry by puts and removals of other entries', async () => {
        const account = newId('user');
        const [kept, going] = [Array.from({ length: 30 }, () => newEntry()), newEntry()];
        await store.put(account, going);
        await Promise.all(
          kept.flatMap((entry, index) => [
            either(index).put(account, entry),
            either(index + 1).remove(account, going.id),
          ]),
        );
        await expectListed(account, kept);
      });
    });

    describe('remove', () => {
      test('deletes one entry for all readers, and no other', async () => {
        const account = newId('user');
        const [gone, kept] = [newEntry({ expiresAt: clock.now() + 2 * minute }), newEntry()];
        await putAll(account, [gone, kept]);
        await store.remove(account, gone.id);
        await expectListed(account, [kept]);
        await other.remove(account, gone.id);
        await store.remove(newId('user'), kept.id);
        await expectListed(account, [kept]);
        await other.remove(account, kept.id);
        await expectListed(account, []);
      });

      test('does not prevent a later put of the same entry', async () => {
        const [account, entry] = [newId('user'), newEntry()];
        await store.put(account, entry);
        await store.remove(account, entry.id);
        await other.put(account, entry);
        await expectListed(account, [entry]);
      });
    });

    describe('an entry past its expiry', () => {
      test('is not listed; each entry has its own expiry', async () => {
        const account = newId('user');
        const [short, long] = [newEntry(), newEntry({ expiresAt: clock.now() + 2 * minute })];
        await putAll(account, [long, short]);
        clock.advance(minute - 1);
        await expectListed(account, [short, long]);
        clock.advance(1);
        await expectListed(account, [long]);
        clock.advance(minute + 1);
        await expectListed(account, []);
      });

      test('is not listed if it is put after its expiry', async () => {
        const [account, entry] = [newId('user'), newEntry()];
        await store.put(account, entry);
        await store.put(account, newEntry({ expiresAt: clock.now() - 1 }));
        await store.put(account, newEntry({ id: entry.id, expiresAt: clock.now() }));
        await expectListed(account, []);
      });

      test('is listed when it is put again with a later expiry', async () => {
        const [account, entry] = [newId('user'), newEntry()];
        await store.put(account, entry);
        clock.advance(minute + 1);
        const renewed = newEntry({ id: entry.id });
        await store.put(account, renewed);
        await expectListed(account, [renewed]);
      });
    });

    describe('page', () => {
      /** All pages of the account, each through the other connection than the one before. */
      const pagesOf = async (account: string, most: number): Promise<AccountIndexEntry[][]> => {
        const pages: AccountIndexEntry[][] = [];
        for (let after: AccountIndexEntry | undefined; ; after = pages.at(-1)?.at(-1)) {
          const page = await either(pages.length).page(account, most, after);
          if (page.length === 0) return pages;
          pages.push(page);
        }
      };
      const ids = (entries: AccountIndexEntry[]) => entries.map(({ id }) => id);

      test('gives every entry once, the last used first, in pages of the asked size', async () => {
        const account = newId('user');
        const entries = Array.from({ length: 25 }, (_, index) =>
          newEntry({ usedAt: clock.now() - index, expiresAt: clock.now() + minute + index }),
        );
        await putAll(
          account,
          entries.map((_, index) => entries[(index * 7) % 25] ?? newEntry()),
        );
        await store.put(newId('user'), newEntry());
        const pages = await pagesOf(account, 10);
        expect(pages.map(({ length }) => length)).toEqual([10, 10, 5]);
        expect(pages.flat()).toEqual(entries);
        expect(await store.page(newId('user'), 10)).toEqual([]);
        expect(await store.page('a\0b', 10)).toEqual([]);
      });

      test('orders entries of the same time by their ids, byte by byte', async () => {
        const account = newId('user');
        // In this order, the greatest first; no two alphabets sort these alike.
        const sortedIds = ['\u{1f600}', '\uff5e', 'ü', 'b', 'aa', 'a', 'Z', 'A', '-', ''];
        await putAll(
          account,
          [...sortedIds].sort().map((id) => newEntry({ id, usedAt: 5 })),
        );
        for (const most of [1, 3, 20]) expect(ids((await pagesOf(account, most)).flat())).toEqual(sortedIds);
      });

      test('moves an entry that is used again to the front, and leaves out what is removed or expired', async () => {
        const account = newId('user');
        const [first, second, third, short, gone] = [
          newEntry({ usedAt: 30 }),
          newEntry({ usedAt: 20 }),
          newEntry({ usedAt: 10 }),
          newEntry({ usedAt: 25, expiresAt: clock.now() + 10 }),
          newEntry({ usedAt: 15 }),
        ];
        await putAll(account, [first, second, third, short, gone]);
        const page = await store.page(account, 2);
        expect(ids(page)).toEqual(ids([first, short]));
        await other.remove(account, gone.id);
        await other.put(account, { ...third, usedAt: 40 });
        clock.advance(11);
        expect(ids(await store.page(account, 2, page.at(-1)))).toEqual([second.id]);
        expect(ids(await other.page(account, 5))).toEqual(ids([third, first, second]));
      });
    });

    test('find gives one entry until it expires or is removed', async () => {
      const [account, entry] = [newId('user'), newEntry()];
      await putAll(account, [entry, newEntry()]);
      expect(await other.find(account, entry.id)).toEqual(entry);
      expect(await store.find(newId('user'), entry.id)).toBeUndefined();
      expect(await store.find(account, 'a\0b')).toBeUndefined();
      clock.advance(minute);
      expect(await store.find(account, entry.id)).toBeUndefined();
      await store.put(account, newEntry({ id: entry.id }));
      await other.remove(account, entry.id);
      expect(await store.find(account, entry.id)).toBeUndefined();
    });

    test('an account has a bounded number of entries, and those that expire first are dropped', async () => {
      const [account, neighbour] = [newId('user'), newId('user')];
      const beyond = 60;
      const entries = Array.from({ length: mostEntriesOfAccount + beyond }, (_, index) =>
        newEntry({ expiresAt: clock.now() + minute + index }),
      );
      // The put order isn't the expiry order. The dropped entries are among the first, the last and the middle puts.
      const mixed = entries.map((_, index) => entries[(index * 7) % entries.length] ?? newEntry());
      await putAll(account, mixed);
      await store.put(neighbour, newEntry());
      const idsOf = (some: AccountIndexEntry[]) => some.map(({ id }) => id).sort();
      const kept = idsOf(entries.slice(beyond));
      expect(idsOf(await other.list(account))).toEqual(kept);
      await other.put(account, newEntry({ expiresAt: clock.now() + 1 }));
      expect(idsOf(await store.list(account))).toEqual(kept);
      const last = newEntry({ expiresAt: clock.now() + 10 * minute });
      await store.put(account, last);
      expect(idsOf(await other.list(account))).toEqual(idsOf([...entries.slice(beyond + 1), last]));
      expect(await store.list(neighbour)).toHaveLength(1);
    });
  });
}
