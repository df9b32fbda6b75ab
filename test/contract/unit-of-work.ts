import { describe, expect, test } from '@jest/globals';
import type { Account, AccountChange, AccountStore } from '../../provider/ports/account-store.ts';
import type { ConsentStore } from '../../provider/ports/consent-store.ts';
import type { Denylist } from '../../provider/ports/denylist.ts';
import type { Outbox } from '../../provider/ports/outbox.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { SignInHistory } from '../../provider/ports/sign-in-history.ts';
import type { SignInUnitOfWork, TransactionStores } from '../../provider/ports/unit-of-work.ts';
import { sampleAccount } from './account-store.ts';
import { useFixture } from './fixture.ts';
import { sampleEvent } from './outbox.ts';
import { sampleSignIn } from './sign-in-history.ts';

export interface UnitOfWorkFixture {
  unitOfWork: SignInUnitOfWork;
  /** Stores over the same data, outside any transaction. */
  accounts: AccountStore;
  consents: ConsentStore;
  outbox: Outbox;
  denylist: Denylist;
  history: SignInHistory;
  close(): Promise<void>;
}

const at = Date.UTC(2026, 0, 1);
const revocationOf = ({ id }: { id: string }): RevocationKey => `changed:${id}`;

/** Checks every sentence of `provider/ports/unit-of-work.ts` on what `open` gives. */
export function unitOfWorkContract(name: string, open: () => Promise<UnitOfWorkFixture>): void {
  describe(`${name} keeps the contract of UnitOfWork`, () => {
    const fixture = useFixture(open);

    const writeAll = async (stores: TransactionStores, account = sampleAccount()) => {
      await stores.accounts.insert(account);
      await stores.consents.add(
        { accountId: account.id, clientId: 'demo-web', oidcScopes: ['openid'], resourceScopes: {} },
        at,
      );
      await stores.outbox.append(sampleEvent({ subject: account.id }));
      await stores.denylist.revoke([revocationOf(account)], Date.now() + 60_000);
      return account;
    };
    const isRevoked = (account: { id: string }) => fixture().denylist.anyRevoked([revocationOf(account)]);
    const pending = async () => (await fixture().outbox.depth()).pending;

    test('all writes are committed if the work resolves, and its result is returned', async () => {
      const before = await pending();
      const account = await fixture().unitOfWork.run((stores) => writeAll(stores));
      expect(await fixture().accounts.findById(account.id)).toEqual(account);
      expect(await fixture().consents.find(account.id, 'demo-web')).toMatchObject({ oidcScopes: ['openid'] });
      expect(await isRevoked(account)).toBe(true);
      expect(await pending()).toBe(before + 1);
    });

    test('no write is committed if the work throws, and its error is thrown', async () => {
      const before = await pending();
      const account = sampleAccount();
      const reason = new Error('changed its mind');
      const run = fixture().unitOfWork.run(async (stores) => {
        await writeAll(stores, account);
        throw reason;
      });
      await expect(run).rejects.toBe(reason);
      expect(await fixture().accounts.findById(account.id)).toBeUndefined();
      expect(await fixture().consents.find(account.id, 'demo-web')).toBeUndefined();
      expect(await isRevoked(account)).toBe(false);
      expect(await pending()).toBe(before);
    });

    test('changes to existing data are rolled back too', async () => {
      const account = await fixture().unitOfWork.run((stores) => writeAll(stores));
      const run = fixture().unitOfWork.run(async (stores) => {
        await stores.accounts.update(account.id, { roles: ['ADMIN'], raiseTokenVersion: true }, at + 1);
        await stores.accounts.replacePasswordHash(account.id, account.passwordHash ?? '', 'new', at + 1);
        const consent = await stores.consents.find(account.id, 'demo-web');
        expect(consent && (await stores.consents.withdraw(consent))).toBe(true);
        throw new Error('changed its mind');
      });
      await expect(run).rejects.toThrow('changed its mind');
      expect(await fixture().accounts.findById(account.id)).toEqual(account);
      expect(await fixture().consents.find(account.id, 'demo-web')).toBeDefined();
    });

    test('the work sees its own writes', async () => {
      const account = sampleAccount();
      await fixture().unitOfWork.run(async ({ accounts }) => {
        await accounts.insert(account);
        expect(await accounts.findByEmail(account.email)).toEqual(account);
      });
    });

    test('a taken address is a normal result, and the work can continue', async () => {
      const taken = await fixture().unitOfWork.run((stores) => writeAll(stores));
      const other = sampleAccount();
      await fixture().unitOfWork.run(async ({ accounts }) => {
        expect(await accounts.insert(sampleAccount({ email: taken.email }))).toBe(false);
        expect(await accounts.insert(other)).toBe(true);
      });
      expect(await fixture().accounts.findById(other.id)).toEqual(other);
    });

    test('one of 20 parallel sign-ups with one address is committed, with only its event', async () => {
      const before = await pending();
      const { email } = sampleAccount();
      const signUps = await Promise.all(
        Array.from({ length: 20 }, () =>
          fixture().unitOfWork.run(async (stores) => {
            const account = sampleAccount({ email });
            if (!(await stores.accounts.insert(account))) return undefined;
            await stores.outbox.append(sampleEvent({ subject: account.id, type: 'user.created' }));
            return account;
          }),
        ),
      );
      const stood = signUps.filter((account) => account !== undefined);
      expect(stood).toHaveLength(1);
      expect(await fixture().accounts.findByEmail(email)).toEqual(stood[0]);
      expect(await pending()).toBe(before + 1);
    });

    describe('recordSignIn', () => {
      const stored = async (fields: Partial<Account> = {}): Promise<Account> => {
        const account = sampleAccount(fields);
        expect(await fixture().accounts.insert(account)).toBe(true);
        return account;
      };
      const record = ({ id }: Account, as: Account) =>
        fixture().unitOfWork.recordSignIn(as, sampleEvent({ subject: id }), sampleSignIn({ accountId: id }));
      const recorded = async ({ id }: Account) => (await fixture().history.list(id, at)).length;

      test.each<[string, Partial<Account>]>([
        ['with a password', {}],
        ['without a password', { passwordHash: undefined, roles: [] }],
        ['with any text', { email: `a'"\\?:id-${Date.now()}@example.com`, roles: ['a,b', '{}', '"', 'ü'] }],
      ])('writes the event and the entry of the history, for an account %s', async (_, fields) => {
        const before = await pending();
        const account = await stored(fields);
        expect(await record(account, account)).toBe(true);
        expect(await pending()).toBe(before + 1);
        expect(await recorded(account)).toBe(1);
        expect(await fixture().accounts.findById(account.id)).toEqual(account);
      });

      test.each<[string, AccountChange]>([
        ['is disabled', { state: 'disabled' }],
        ['was signed out everywhere', { raiseTokenVersion: true }],
        ['has another password', { passwordHash: 'another' }],
        ['has no password any more', { removePassword: true }],
        ['has another address', { email: `another-${Date.now()}@example.com` }],
        ['has other roles', { roles: ['CLIENT', 'ADMIN'] }],
        ['has a second factor', { hasSecondFactor: true }],
        ['has an address that must be proved', { isUnconfirmed: true }],
      ])('writes nothing if the account meanwhile %s', async (_, change) => {
        const before = await pending();
        const account = await stored();
        await fixture().accounts.update(account.id, change, at);
        expect(await record(account, account)).toBe(false);
        expect(await pending()).toBe(before);
        expect(await recorded(account)).toBe(0);
        const changed = await fixture().accounts.findById(account.id);
        expect(changed && (await record(account, changed))).toBe(true);
      });

      test('writes nothing for an account that does not exist', async () => {
        const before = await pending();
        expect(await record(sampleAccount(), sampleAccount())).toBe(false);
        expect(await pending()).toBe(before);
      });

      test('does not compare the metadata, the times and whether the address is verified', async () => {
        const account = await stored();
        await fixture().accounts.update(account.id, { metadata: { plan: 'b' }, emailVerified: true }, at + 1);
        expect(await record(account, account)).toBe(true);
      });

      test('writes nothing after a parallel change that raised the token version; each result before it is true to what was written', async () => {
        for (let round = 0; round < 10; round += 1) {
          const account = await stored();
          let isDisabled = false;
          const change = { state: 'disabled', raiseTokenVersion: true } as const;
          const disable = fixture()
            .unitOfWork.run(({ accounts }) => accounts.update(account.id, change, at))
            .then(() => {
              isDisabled = true;
            });
          const during: Promise<boolean>[] = [];
          while (!isDisabled) {
            during.push(...Array.from({ length: 3 }, () => record(account, account)));
            await Promise.race([disable, ...during.slice(-1)]);
          }
          expect(await record(account, account)).toBe(false);
          const written = (await Promise.all(during)).filter(Boolean);
          // The history keeps the newest 20.
          expect(await recorded(account)).toBe(Math.min(written.length, 20));
        }
      });
    });
  });
}
