import { describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { Account, AccountStore } from '../../provider/ports/account-store.ts';
import { useStores } from './fixture.ts';

export interface AccountStoreFixture {
  store: AccountStore;
  /** A second store over the same data, with its own connection. */
  another?(): AccountStore | Promise<AccountStore>;
  close(): Promise<void>;
}

const at = Date.UTC(2026, 0, 1);

export function sampleAccount(changes: Partial<Account> = {}): Account {
  return {
    id: newId('user'),
    email: `${randomToken(8)}@example.com`,
    emailVerified: false,
    passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
    roles: ['CLIENT'],
    metadata: { plan: 'gold', nested: { list: [1, null, 'ü'] } },
    state: 'active',
    tokenVersion: 0,
    createdAt: at,
    updatedAt: at,
    ...changes,
  };
}

/** Checks every sentence of `provider/ports/account-store.ts` on the store that `open` gives. */
export function accountStoreContract(name: string, open: () => Promise<AccountStoreFixture>): void {
  describe(`${name} keeps the contract of AccountStore`, () => {
    let store: AccountStore;
    let other: AccountStore;

    useStores(open, (fixture, second) => {
      store = fixture.store;
      other = second;
    });

    const inserted = async (changes: Partial<Account> = {}): Promise<Account> => {
      const account = sampleAccount(changes);
      expect(await store.insert(account)).toBe(true);
      return account;
    };

    describe('insert and find', () => {
      test('return the inserted account by id and by address', async () => {
        const account = await inserted({ email: `${randomToken(8)}.Mixed@Example.com`, emailVerified: true });
        expect(await other.findById(account.id)).toEqual(account);
        expect(await other.findByEmail(account.email)).toEqual(account);
      });

      test('keep accounts with and without a password', async () => {
        const account = await inserted({
          passwordHash: undefined,
          roles: [],
          metadata: {},
          state: 'disabled',
        });
        expect(await store.findById(account.id)).toEqual(account);
        expect((await store.findById(account.id))?.passwordHash).toBeUndefined();
      });

      test('keep whether the address of a sign-up is unconfirmed, until it is changed', async () => {
        const account = await inserted({ isUnconfirmed: true });
        expect(await store.findById(account.id)).toEqual(account);
        const many = sampleAccount({ isUnconfirmed: true });
        expect(await store.insertMany([many])).toEqual([many.id]);
        expect(await other.findById(many.id)).toEqual(many);
        const changed = await store.update(account.id, { isUnconfirmed: false }, account.updatedAt);
        expect(changed).not.toHaveProperty('isUnconfirmed');
        expect(await other.findById(account.id)).not.toHaveProperty('isUnconfirmed');
      });

      test('return nothing for unknown ids and addresses', async () => {
        expect(await store.findById(newId('user'))).toBeUndefined();
        expect(await store.findByEmail('nobody@example.com')).toBeUndefined();
      });

      test('find an address in upper or lower case, also beyond ASCII', async () => {
        const tag = randomToken(8);
        const account = await inserted({ email: `Émile.ØST.${tag}@Example.com` });
        expect(await store.findByEmail(`ÉMILE.øst.${tag}@EXAMPLE.COM`)).toEqual(account);
        expect(await store.findByEmail(`emile.ost.${tag}@example.com`)).toBeUndefined();
      });

      test('find an address in any spelling of its domain, and give it as it was typed', async () => {
        const tag = randomToken(8);
        const account = await inserted({ email: `Émile.${tag}@Bücher.example.` });
        for (const domain of [
          'xn--bcher-kva.example',
          'BÜCHER.EXAMPLE',
          'bu\u0308cher.example',
          'ｂücher。example',
        ])
          expect(await other.findByEmail(` Émile.${tag}@${domain}`)).toEqual(account);
        expect(await other.findByEmail(`Émile.${tag}@bucher.example`)).toBeUndefined();
      });

      test.each(['a\0b', '\0', 'a\ud800b', '%', '_', "' or '1'='1", '\\', '?', ':id', '__proto__', ''])(
        'answer look-ups of %j without an error',
        async (text) => {
          expect(await store.findById(text)).toBeUndefined();
          expect(await store.findByEmail(text)).toBeUndefined();
          expect(await store.update(text, { emailVerified: true }, at)).toBeUndefined();
          expect(await store.replacePasswordHash(text, 'a', 'b', at)).toBe(false);
        },
      );

      test('keep any text in metadata', async () => {
        const account = await inserted({ metadata: { 'a\0b': '\0 ? :id \\ " \u{1F600}', ['__proto__']: 1 } });
        expect(await store.findById(account.id)).toEqual(account);
      });
    });

    describe('insert', () => {
      test('refuses a taken address in upper or lower case, and does not change its account', async () => {
        const account = await inserted();
        const second = sampleAccount({ email: account.email.toUpperCase() });
        expect(await other.insert(second)).toBe(false);
        expect(await store.findById(second.id)).toBeUndefined();
        expect(await store.findByEmail(account.email)).toEqual(account);
      });

      test('refuses a taken address in another spelling of its domain', async () => {
        const tag = randomToken(8);
        const account = await inserted({ email: `${tag}@bücher.example` });
        const spellings = ['xn--bcher-kva.example', 'BÜCHER.example', 'bücher.example.'];
        const rivals = spellings.map((domain) => sampleAccount({ email: `${tag}@${domain}` }));
        for (const rival of rivals) expect(await other.insert(rival)).toBe(false);
        expect(await other.insertMany(rivals)).toEqual([]);
        expect(await store.findByEmail(account.email)).toEqual(account);
      });

      test('refuses a taken id', async () => {
        const account = await inserted();
        expect(await store.insert(sampleAccount({ id: account.id }))).toBe(false);
        expect(await store.findById(account.id)).toEqual(account);
      });

      test('succeeds for exactly one of 50 parallel calls with one address', async () => {
        const email = `${randomToken(8)}@example.com`;
        const spellings = [email, email.toUpperCase(), `${email}.`, email.replace('e.com', 'ｅ.com')];
        const accounts = Array.from({ length: 50 }, (_, index) =>
          sampleAccount({ email: spellings[index % spellings.length] ?? '' }),
        );
        const won = await Promise.all(
          accounts.map((account, index) => (index % 3 === 0 ? other : store).insert(account)),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await store.findByEmail(email)).toEqual(accounts[won.indexOf(true)]);
      });
    });

    describe('insertMany', () => {
      test('inserts all accounts with free addresses and returns their ids', async () => {
        const accounts = [
          sampleAccount({
            email: `Émile.${randomToken(8)}@Example.com`,
            emailVerified: true,
            tokenVersion: 7,
          }),
          sampleAccount({ passwordHash: undefined, roles: [], metadata: {}, state: 'disabled' }),
          sampleAccount({ metadata: { 'a\0b': '\0 ? :id \\ " {,} \u{1F600} \ud800', ['__proto__']: 1 } }),
          sampleAccount({ passwordHash: 'NULL', roles: ['a,b', '{}', '"'], createdAt: 1, updatedAt: at + 1 }),
        ];
        const ids = await store.insertMany(accounts);
        expect([...ids].sort()).toEqual(accounts.map(({ id }) => id).sort());
        for (const account of accounts) expect(await other.findById(account.id)).toEqual(account);
        expect(await store.findByEmail(accounts[0]?.email.toUpperCase() ?? '')).toEqual(accounts[0]);
      });

      test('skips accounts with a taken address or id, and does not change the existing ones', async () => {
        const account = await inserted();
        const free = sampleAccount();
        const ids = await other.insertMany([
          sampleAccount({ email: account.email.toUpperCase() }),
          sampleAccount({ id: account.id }),
          free,
        ]);
        expect(ids).toEqual([free.id]);
        expect(await store.findByEmail(account.email)).toEqual(account);
        expect(await store.findById(account.id)).toEqual(account);
      });

      test('inserts the first of two accounts with one address or id', async () => {
        const firsts = Array.from({ length: 20 }, () => sampleAccount());
        const seconds = firsts.map(({ id, email }, index) =>
          sampleAccount(index % 2 === 0 ? { id } : { email: email.toUpperCase() }),
        );
        const ids = await store.insertMany([...firsts, ...seconds]);
        expect([...ids].sort()).toEqual(firsts.map(({ id }) => id).sort());
        for (const account of firsts) expect(await store.findById(account.id)).toEqual(account);
      });

      test('returns nothing for no accounts', async () => {
        expect(await store.insertMany([])).toEqual([]);
      });

      test('inserts one account for each of 100 addresses in parallel calls, in any order', async () => {
        const emails = Array.from({ length: 100 }, () => `${randomToken(8)}@example.com`);
        const calls = Array.from({ length: 8 }, (_, index) =>
          emails.map((email) => sampleAccount({ email: index % 2 === 0 ? email : email.toUpperCase() })),
        );
        const won = await Promise.all([
          ...calls.map((accounts, index) => {
            const ordered = index % 2 === 0 ? accounts : accounts.toReversed();
            return (index % 3 === 0 ? other : store).insertMany(ordered);
          }),
          store
            .insert(sampleAccount({ email: emails[50] ?? '' }))
            .then((yes) => (yes ? ['the single one'] : [])),
        ]);
        expect(won.flat()).toHaveLength(100);
        const stored = await Promise.all(emails.map((email) => store.findByEmail(email)));
        expect(stored.every((account) => account !== undefined)).toBe(true);
      });
    });

    describe('update of an address', () => {
      test('replaces the address, and gives the earlier one free', async () => {
        const account = await inserted();
        const email = `New.${randomToken(8)}@Bücher.example`;
        const changed = await store.update(account.id, { email, emailVerified: true }, at + 1);
        expect(changed).toEqual({ ...account, email, emailVerified: true, updatedAt: at + 1 });
        expect(await other.findByEmail(email.toUpperCase())).toEqual(changed);
        expect(await other.findByEmail(account.email)).toBeUndefined();
        expect(await store.insert(sampleAccount({ email: account.email }))).toBe(true);
      });

      test('accepts another spelling of the same address, and refuses one that another account has', async () => {
        const [account, owner] = [await inserted(), await inserted()];
        const email = account.email.toUpperCase();
        expect(await store.update(account.id, { email }, at)).toEqual({ ...account, email });
        await expect(
          store.update(account.id, { email: owner.email.toUpperCase() }, at),
        ).rejects.toMatchObject({
          code: 'address_taken',
        });
        expect(await store.findById(account.id)).toEqual({ ...account, email });
      });

      test('succeeds for exactly one of 20 parallel calls and inserts with one address', async () => {
        const email = `${randomToken(8)}@example.com`;
        const accounts = await Promise.all(Array.from({ length: 10 }, () => inserted()));
        const updates = accounts.map(({ id }, index) =>
          (index % 2 ? store : other).update(id, { email }, at).then(
            () => true,
            (error: { code: string }) => expect(error.code).toBe('address_taken'),
          ),
        );
        const inserts = Array.from({ length: 10 }, () => store.insert(sampleAccount({ email })));
        const won = await Promise.all([...updates, ...inserts]);
        expect(won.filter((one) => one === true)).toHaveLength(1);
      });
    });

    test('update removes the password', async () => {
      const account = await inserted();
      expect(await store.update(account.id, { removePassword: true }, at)).toEqual({
        ...account,
        passwordHash: undefined,
      });
    });

    describe('update', () => {
      test('changes only the given fields, and returns the changed account', async () => {
        const account = await inserted();
        const later = at + 1_000;
        const changes = [
          { emailVerified: true },
          { passwordHash: 'other' },
          { roles: [] },
          { metadata: { only: 'this' } },
          { state: 'disabled' },
        ] as const;
        let expected: Account = { ...account, updatedAt: later };
        for (const change of changes) {
          expected = { ...expected, ...structuredClone(change) } as Account;
          expect(await store.update(account.id, structuredClone(change) as object, later)).toEqual(expected);
          expect(await other.findById(account.id)).toEqual(expected);
        }
        expect(await store.update(account.id, { emailVerified: false }, later)).toMatchObject({
          emailVerified: false,
        });
      });

      test('returns nothing for an unknown account', async () => {
        expect(await store.update(newId('user'), { emailVerified: true }, at)).toBeUndefined();
      });

      test('raises the token version once for each of 20 parallel calls', async () => {
        const account = await inserted({ tokenVersion: 3 });
        const raised = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (index % 2 === 0 ? store : other).update(account.id, { raiseTokenVersion: true }, at),
          ),
        );
        const seen = raised.map((one) => one?.tokenVersion ?? 0).sort((a, b) => a - b);
        expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 4));
        expect((await store.findById(account.id))?.tokenVersion).toBe(23);
      });

      test('loses no change of parallel changes to different fields', async () => {
        const account = await inserted();
        await Promise.all([
          store.update(account.id, { roles: ['ADMIN'] }, at),
          other.update(account.id, { emailVerified: true }, at),
          store.update(account.id, { metadata: { changed: true } }, at),
          other.update(account.id, { passwordHash: 'new', raiseTokenVersion: true }, at),
        ]);
        expect(await store.findById(account.id)).toMatchObject({
          roles: ['ADMIN'],
          emailVerified: true,
          metadata: { changed: true },
          passwordHash: 'new',
          tokenVersion: 1,
        });
      });
    });

    describe('replacePasswordHash', () => {
      test('replaces the given old hash, and nothing else', async () => {
        const account = await inserted({ passwordHash: 'old' });
        expect(await store.replacePasswordHash(account.id, 'old', 'new', at + 5)).toBe(true);
        expect(await store.findById(account.id)).toEqual({
          ...account,
          passwordHash: 'new',
          updatedAt: at + 5,
        });
      });

      test('changes nothing if the account has another hash or none', async () => {
        const account = await inserted({ passwordHash: 'changed meanwhile' });
        const bare = await inserted({ passwordHash: undefined });
        expect(await store.replacePasswordHash(account.id, 'old', 'new', at + 5)).toBe(false);
        expect(await store.replacePasswordHash(bare.id, 'old', 'new', at + 5)).toBe(false);
        expect(await store.replacePasswordHash(newId('user'), 'old', 'new', at + 5)).toBe(false);
        expect(await store.findById(account.id)).toEqual(account);
        expect(await store.findById(bare.id)).toEqual(bare);
      });

      test('succeeds for exactly one of 20 parallel calls', async () => {
        const account = await inserted({ passwordHash: 'old' });
        const won = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (index % 2 === 0 ? store : other).replacePasswordHash(account.id, 'old', `new ${index}`, at),
          ),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect((await store.findById(account.id))?.passwordHash).toBe(`new ${won.indexOf(true)}`);
      });
    });

    test('list returns pages in the order of ids, with each account once', async () => {
      // '~' sorts after all characters of ids, so accounts of other tests do not sort between these.
      const ids = ['~a', '~B', '~_', '~-', '~0', '~é'].sort();
      for (const id of [...ids].reverse()) await inserted({ id });
      const pages: string[][] = [];
      for (let after: string | undefined = '~'; ; ) {
        const page: Account[] = await store.list(after, 4);
        if (page.length === 0) break;
        pages.push(page.map(({ id }) => id));
        after = page.at(-1)?.id;
      }
      expect(pages).toEqual([ids.slice(0, 4), ids.slice(4)]);
      expect((await store.list(undefined, 1)).map(({ id }) => id < '~')).toEqual([true]);
    });
  });
}
