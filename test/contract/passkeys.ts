import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { Passkeys, StoredPasskey } from '../../provider/ports/passkeys.ts';
import { useStores } from './fixture.ts';

export interface PasskeysFixture {
  store: Passkeys;
  /** A second store over the same data, with its own connection. */
  another?(): Passkeys | Promise<Passkeys>;
  close(): Promise<void>;
}

const at = Date.UTC(2026, 0, 1);

export const samplePasskey = (fields: Partial<StoredPasskey> = {}): StoredPasskey => ({
  id: randomToken(32),
  accountId: newId('user'),
  userHandle: randomToken(32),
  publicKey: 'pQECAyYgASFYIA',
  counter: 0,
  transports: ['internal', 'hybrid'],
  isShareable: true,
  isBackedUp: false,
  name: 'Phone',
  createdAt: at,
  ...fields,
});

/** Checks every sentence of `provider/ports/passkeys.ts` on the store that `open` gives. */
export function passkeysContract(name: string, open: () => Promise<PasskeysFixture>): void {
  describe(`${name} keeps the contract of Passkeys`, () => {
    let store: Passkeys;
    let other: Passkeys;
    let passkey: StoredPasskey;

    useStores(open, (fixture, second) => {
      store = fixture.store;
      other = second;
    });
    beforeEach(() => {
      passkey = samplePasskey();
    });

    const added = async (fields: Partial<StoredPasskey> = {}): Promise<StoredPasskey> => {
      const { accountId, userHandle } = passkey;
      const one = samplePasskey({ accountId, userHandle, ...fields });
      expect(await store.add(one, 20)).toBe('added');
      return one;
    };
    const parallel = <T>(call: (on: Passkeys, index: number) => Promise<T>) =>
      Promise.all(Array.from({ length: 10 }, (_, index) => call(index % 2 ? store : other, index)));

    test('a passkey that was added is found with its user handle, and not used yet', async () => {
      const one = await added();
      expect(await other.find(one.id)).toEqual({ ...one, lastUsedAt: undefined });
      expect(await store.find(randomToken(32))).toBeUndefined();
      expect(await store.find('a\0b')).toBeUndefined();
    });

    test('the passkeys of an account are listed, the oldest first, and no others', async () => {
      const later = await added({ createdAt: at + 1 });
      const earlier = await added();
      await store.add(samplePasskey(), 20);
      expect((await other.list(passkey.accountId)).map(({ id }) => id)).toEqual([earlier.id, later.id]);
      expect(await store.list(newId('user'))).toEqual([]);
    });

    test('a credential id is added once: of parallel adds exactly one wins, for any account', async () => {
      const results = await parallel((on) =>
        on.add({ ...samplePasskey(), id: passkey.id, accountId: newId('user') }, 20),
      );
      expect(results.filter((result) => result === 'added')).toHaveLength(1);
      expect(results.filter((result) => result === 'exists')).toHaveLength(9);
    });

    test('an account has at most so many passkeys as the caller says', async () => {
      const { accountId, userHandle } = await added();
      expect(await store.add(samplePasskey({ accountId, userHandle }), 1)).toBe('full');
      expect(await store.list(accountId)).toHaveLength(1);
    });

    test('an account has one user handle, also after its passkeys were removed', async () => {
      const { accountId, userHandle } = passkey;
      expect(await store.userHandle(accountId)).toBeUndefined();
      await added();
      expect(await store.add(samplePasskey({ accountId }), 20)).toBe('exists');
      await store.removeAll(accountId);
      expect(await other.userHandle(accountId)).toBe(userHandle);
      expect(await store.add(samplePasskey({ accountId }), 20)).toBe('exists');
      expect(await store.list(accountId)).toEqual([]);
    });

    test('a use stores the counter, the backup and the time', async () => {
      const { id } = await added();
      expect(await store.use(id, { counter: 7, isBackedUp: true, at: at + 5 })).toBe(true);
      expect(await other.find(id)).toMatchObject({ counter: 7, isBackedUp: true, lastUsedAt: at + 5 });
    });

    test.each([
      [0, 0, true],
      [0, 1, true],
      [5, 6, true],
      [5, 5, false],
      [5, 4, false],
      [5, 0, false],
    ])('with the counter %i, a use with %i gives %s', async (counter, next, isUsed) => {
      const { id } = await added({ counter });
      expect(await store.use(id, { counter: next, isBackedUp: true, at })).toBe(isUsed);
      const used = { counter: next, isBackedUp: true, lastUsedAt: at };
      const unused = { counter, isBackedUp: false, lastUsedAt: undefined };
      expect(await store.find(id)).toMatchObject(isUsed ? used : unused);
    });

    test('of parallel uses with one counter exactly one wins', async () => {
      const { id } = await added();
      const results = await parallel((on) => on.use(id, { counter: 1, isBackedUp: false, at }));
      expect(results.filter(Boolean)).toHaveLength(1);
    });

    test('a use of an unknown passkey changes nothing', async () => {
      expect(await store.use(randomToken(32), { counter: 1, isBackedUp: false, at })).toBe(false);
    });

    test('only the account of a passkey renames and removes it', async () => {
      const { id, accountId } = await added();
      const stranger = newId('user');
      expect(await store.rename(stranger, id, 'Mine')).toBe(false);
      expect(await store.remove(stranger, id)).toBeUndefined();
      expect(await store.rename(accountId, id, 'Work phone')).toBe(true);
      expect(await other.find(id)).toMatchObject({ name: 'Work phone' });
      expect(await store.remove(accountId, id)).toMatchObject({ id, name: 'Work phone' });
      expect(await store.remove(accountId, id)).toBeUndefined();
      expect(await store.rename(accountId, id, 'Gone')).toBe(false);
      expect(await other.find(id)).toBeUndefined();
    });

    test('all passkeys of an account are removed, and no others', async () => {
      const [one, two] = [await added(), await added()];
      const stranger = samplePasskey();
      await store.add(stranger, 20);
      const removed = await other.removeAll(passkey.accountId);
      expect(removed.map(({ id }) => id).sort()).toEqual([one.id, two.id].sort());
      expect(await store.list(passkey.accountId)).toEqual([]);
      expect(await store.find(stranger.id)).toBeDefined();
      expect(await store.removeAll(passkey.accountId)).toEqual([]);
    });
  });
}
