import { GatehouseError, isFailedGuess } from '../lib/errors.ts';
import type { Account } from '../ports/account-store.ts';
import type { SecondFactors } from '../ports/second-factors.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import { type ChangePasswordDeps, ended, isCurrent, refused } from './change-password.ts';
import type { Enrolment, SecondFactorService } from './second-factors.ts';

export interface OwnSecondFactorDeps
  extends Pick<
    ChangePasswordDeps,
    'accounts' | 'unitOfWork' | 'passwords' | 'rateLimits' | 'metrics' | 'logger'
  > {
  factors: SecondFactorService;
  secondFactors: Pick<SecondFactors, 'find'>;
}

/** The owner in a session of the account page. */
export interface Owner {
  accountId: string;
  /** The token version of the account in this session. */
  tokenVersion: number;
  /** The id of the session. An offer is valid only there. */
  boundTo: string;
  /** The language of the page, for the mail about the change. */
  language?: string | undefined;
}

export interface ConfirmedOwner extends Owner {
  /** The current password. */
  current: string;
  /** The result of `rateLimits.browsers.read`. */
  browser?: string | undefined;
}

/**
 * What the owner of an account does with the second factor on the account page. A wrong password counts as a failed
 * sign-in. Each function throws `invalid_credentials`, `session_ended`, `overloaded` or `too_many_requests`.
 */
export interface OwnSecondFactor {
  /** Makes the secret of a new app. Throws `second_factor_exists` too. */
  offer(owner: ConfirmedOwner): Promise<Enrolment>;
  /** Shows the offer again after a wrong code. Throws `second_factor_expired`. */
  reopen(owner: Owner, sealed: string): Promise<Enrolment>;
  /** Adds the app and gives the recovery codes. Throws as `SecondFactorService.add`. */
  add(owner: Owner, offered: { sealed: string; code: string }): Promise<string[]>;
  /** Throws `second_factor_missing` too. */
  remove(owner: ConfirmedOwner): Promise<void>;
  /** Throws `second_factor_missing` too. */
  replaceRecoveryCodes(owner: ConfirmedOwner): Promise<string[]>;
}

export function createOwnSecondFactor(deps: OwnSecondFactorDeps): OwnSecondFactor {
  const { accounts, unitOfWork, passwords, rateLimits, factors } = deps;

  const isOwner = (account: Account | undefined, { tokenVersion }: Owner): account is Account =>
    account?.state === 'active' && account.tokenVersion === tokenVersion;
  const read = async (owner: Owner): Promise<Account> => {
    const account = await accounts.findById(owner.accountId);
    if (!isOwner(account, owner)) throw ended();
    return account;
  };
  const confirm = async (owner: ConfirmedOwner): Promise<Account> => {
    const account = await read(owner);
    const { email } = account;
    const tried = { email, browser: owner.browser, tokenVersion: async () => owner.tokenVersion };
    try {
      await rateLimits.signIn(tried, async () => {
        if (!(await isCurrent(passwords, account, owner.current))) throw refused();
      });
      return account;
    } catch (error) {
      if (isFailedGuess(error)) {
        deps.metrics.signIns.inc({ outcome: 'refused' });
        deps.logger.info({ accountId: owner.accountId }, 'change of the second factor refused');
      }
      throw error;
    }
  };
  /** Reads the account again, because the session can have ended meanwhile. */
  const change = <T>(owner: Owner, work: (stores: TransactionStores, account: Account) => Promise<T>) =>
    unitOfWork.run(async (stores) => {
      const account = await stores.accounts.findById(owner.accountId);
      if (!isOwner(account, owner)) throw ended();
      return work(stores, account);
    });

  return {
    offer: async (owner) => {
      const account = await confirm(owner);
      if (account.hasSecondFactor && (await deps.secondFactors.find(account.id))?.hasApp)
        throw new GatehouseError('second_factor_exists', 'The account has a second factor already.');
      return factors.offer(account, owner.boundTo);
    },
    reopen: async (owner, sealed) => factors.reopen(await read(owner), owner, sealed),
    add: (owner, { sealed, code }) =>
      change(owner, (stores, account) =>
        factors.add(stores, account, { sealed, code, place: owner, language: owner.language }),
      ),
    remove: async (owner) => {
      await confirm(owner);
      const isRemoved = await change(owner, (stores, account) => factors.remove(stores, account, owner));
      if (!isRemoved) throw new GatehouseError('second_factor_missing', 'The account has no second factor.');
    },
    replaceRecoveryCodes: async (owner) => {
      await confirm(owner);
      return change(owner, (stores, account) => factors.replaceRecoveryCodes(stores, account, owner));
    },
  };
}
