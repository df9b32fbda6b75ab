import { describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { AccountStore } from '../../provider/ports/account-store.ts';
import type { AddressChange, AddressChanges } from '../../provider/ports/address-changes.ts';
import { sampleAccount } from './account-store.ts';
import { useStores } from './fixture.ts';

export interface AddressChangesFixture {
  store: AddressChanges;
  /** Over the same data. */
  accounts: AccountStore;
  /** A second store over the same data, with its own connection. */
  another?(): AddressChanges | Promise<AddressChanges>;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 0, 1);
const expiresAt = now + 1_000;
const undoUntil = now + 5_000;

export const sampleChange = (fields: Partial<AddressChange> = {}): AddressChange => ({
  id: newId('change'),
  accountId: newId('user'),
  from: `Old.${randomToken(8)}@example.com`,
  to: `new.${randomToken(8)}@example.com`,
  expiresAt,
  ...fields,
});

/** Checks every sentence of `provider/ports/address-changes.ts` on the store that `open` gives. */
export function addressChangesContract(name: string, open: () => Promise<AddressChangesFixture>): void {
  describe(`${name} keeps the contract of AddressChanges`, () => {
    let store: AddressChanges;
    let other: AddressChanges;
    let accounts: AccountStore;

    useStores(open, (fixture, second) => {
      store = fixture.store;
      accounts = fixture.accounts;
      other = second;
    });

    const requested = async (fields: Partial<AddressChange> = {}): Promise<AddressChange> => {
      const change = sampleChange(fields);
      await store.request(change);
      return change;
    };
    const done = async (fields: Partial<AddressChange> = {}): Promise<AddressChange> => {
      const change = await requested(fields);
      expect(await store.complete(change.id, now, undoUntil)).toEqual({ ...change, expiresAt: undoUntil });
      return { ...change, expiresAt: undoUntil };
    };
    const tenTimes = <T>(call: (on: AddressChanges, index: number) => Promise<T>) =>
      Promise.all(Array.from({ length: 10 }, (_, index) => call(index % 2 ? store : other, index)));

    test('a requested change waits until it is done or has expired', async () => {
      const change = await requested();
      expect(await other.waiting(change.accountId, now)).toEqual(change);
      expect(await other.waiting(change.accountId, expiresAt)).toBeUndefined();
      expect(await other.waiting(newId('user'), now)).toBeUndefined();
      await store.complete(change.id, now, undoUntil);
      expect(await store.waiting(change.accountId, now)).toBeUndefined();
    });

    test('of parallel requests of an account exactly one waits, and only it can be completed', async () => {
      const accountId = newId('user');
      const changes = Array.from({ length: 10 }, () => sampleChange({ accountId }));
      await Promise.all(changes.map((change, index) => (index % 2 ? store : other).request(change)));
      const waiting = await store.waiting(accountId, now);
      const completed = await Promise.all(changes.map(({ id }) => other.complete(id, now, undoUntil)));
      expect(completed.flatMap((change) => change?.id ?? [])).toEqual([waiting?.id]);
    });

    test('of parallel calls of complete for one change exactly one gets it, and so with undo', async () => {
      const change = await requested();
      const completed = await tenTimes((on) => on.complete(change.id, now, undoUntil));
      expect(completed.filter(Boolean)).toEqual([{ ...change, expiresAt: undoUntil }]);
      const undone = await tenTimes((on) => on.undo(change.id, now));
      expect(undone.filter(Boolean)).toEqual([{ ...change, expiresAt: undoUntil }]);
    });

    test('a change that has expired is neither completed nor undone', async () => {
      const change = await requested();
      expect(await store.complete(change.id, expiresAt, undoUntil)).toBeUndefined();
      const old = await done();
      expect(await store.undo(old.id, undoUntil)).toBeUndefined();
      expect(await store.undo(old.id, undoUntil - 1)).toEqual(old);
    });

    test('a change that waits can not be undone', async () => {
      const change = await requested();
      expect(await store.undo(change.id, now)).toBeUndefined();
      expect(await store.waiting(change.accountId, now)).toEqual(change);
    });

    test('an undo removes all later changes of the account, also the one that waits, and no other change', async () => {
      const accountId = newId('user');
      const first = await done({ accountId });
      const second = await done({ accountId });
      const third = await done({ accountId });
      const waiting = await requested({ accountId });
      const foreign = await done();
      expect(await store.undo(second.id, now)).toEqual(second);
      expect(await store.undo(third.id, now)).toBeUndefined();
      expect(await store.complete(waiting.id, now, undoUntil)).toBeUndefined();
      expect(await other.undo(first.id, now)).toEqual(first);
      expect(await other.undo(foreign.id, now)).toEqual(foreign);
    });

    test('the earlier address is refused to other accounts until the change is removed', async () => {
      const account = sampleAccount();
      const from = account.email;
      await accounts.insert(account);
      const change = await done({ accountId: account.id, from });
      await accounts.update(account.id, { email: change.to }, now);
      const rival = sampleAccount({ email: from.toUpperCase() });
      const member = sampleAccount();
      await accounts.insert(member);
      expect(await accounts.insert(rival)).toBe(false);
      expect(await accounts.insertMany([rival])).toEqual([]);
      await expect(accounts.update(member.id, { email: from }, now)).rejects.toMatchObject({
        code: 'address_taken',
      });
      expect(await accounts.update(account.id, { email: from }, now)).toMatchObject({ email: from });
      await accounts.update(account.id, { email: change.to }, now);
      await store.undo(change.id, now);
      expect(await accounts.insert(rival)).toBe(true);
    });
  });
}
