import { GatehouseError } from '../lib/errors.ts';
import type { NewPasskeyAnswer } from '../lib/passkey-answers.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import { ended } from './change-password.ts';
import type { Owner } from './own-second-factor.ts';
import type { PasskeyChoice, PasskeyOffer, PasskeyService } from './passkeys.ts';

/**
 * What the owner of an account does with passkeys, on the account page and directly after a sign-in. The caller has
 * checked that the person signed in a short time ago. Each function throws `session_ended` when the account was signed
 * out everywhere, was disabled or got another password in the meantime.
 */
export interface OwnPasskeys {
  list: PasskeyService['list'];
  /** Makes a request for a new passkey. Throws `too_many_passkeys`. */
  offer(owner: Owner & { email: string }): Promise<PasskeyOffer>;
  /** Adds the passkey, and gives the recovery codes if there were none. Throws as `PasskeyService.checkNew` and `add`. */
  add(
    owner: Owner,
    offered: { sealed: string; answer: NewPasskeyAnswer },
    choice: PasskeyChoice,
  ): Promise<string[] | undefined>;
  /** Throws `not_found`. */
  rename(owner: Owner, id: string, name: string): Promise<void>;
  /** Throws `not_found`. */
  remove(owner: Owner, id: string, language: string): Promise<void>;
}

export function createOwnPasskeys({
  passkeys,
  unitOfWork,
}: {
  passkeys: PasskeyService;
  unitOfWork: UnitOfWork;
}): OwnPasskeys {
  /** Reads the account in the transaction, because the session can have ended meanwhile. */
  const change = <T>(
    { accountId, tokenVersion }: Owner,
    work: (stores: TransactionStores, account: Account) => Promise<T>,
  ) =>
    unitOfWork.run(async (stores) => {
      const account = await stores.accounts.findById(accountId);
      if (account?.state !== 'active' || account.tokenVersion !== tokenVersion) throw ended();
      return work(stores, account);
    });
  const found = (isFound: boolean) => {
    if (!isFound) throw new GatehouseError('not_found', 'The account has no such passkey.');
  };
  return {
    list: passkeys.list,
    offer: ({ accountId: id, email, boundTo }) => passkeys.offer({ id, email }, boundTo),
    add: async (owner, offered, choice) => {
      const checked = await passkeys.checkNew(owner, offered);
      return change(owner, (stores, account) => passkeys.add(stores, account, checked, choice));
    },
    rename: (owner, id, name) =>
      change(owner, async (stores, account) => found(await passkeys.rename(stores, account.id, id, name))),
    remove: (owner, id, language) =>
      change(owner, async (stores, account) => found(await passkeys.remove(stores, account, id, language))),
  };
}
