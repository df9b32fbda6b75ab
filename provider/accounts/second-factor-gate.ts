import type { GatehouseError } from '../lib/errors.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { LostFactors } from './lost-factors.ts';

/** The accounts that need a second factor. */
export interface SecondFactorPolicy {
  /** `required`: every account. */
  mode: 'off' | 'optional' | 'required';
  /** Every account with one of these roles. */
  roles: readonly string[];
}

/** The facts of a sign-in that the second step needs again. */
export interface AskedSignIn {
  clientId: string;
  /** The place where the person types the code, if it must be the place of the password: the id of an interaction. */
  boundTo?: string | undefined;
  needsNewPassword?: true | undefined;
}

export type ReadStores = Pick<TransactionStores, 'secondFactors' | 'passkeys'>;
export type UseStores = Pick<TransactionStores, 'secondFactors' | 'passkeys' | 'outbox' | 'mails'>;

/** What a sign-in does after a right password (second-step.ts). */
export interface SecondFactorGate {
  /**
   * Gives the error that asks for the second factor, with a challenge: `second_factor_required`, or `second_factor_missing`
   * if the account has none yet.
   */
  ask(stores: ReadStores, account: Account, asked: AskedSignIn): Promise<GatehouseError>;
  /** Whether the account trusts the browser with these proofs. */
  trusts(stores: ReadStores, account: Account, proofs: readonly string[]): Promise<boolean>;
  /** Removes the factors of a person who lost them, if the waiting time is over (lost-factors.ts). */
  removeIfDue: LostFactors['removeIfDue'];
  /** Uses the code. Throws `invalid_second_factor`, or `second_factor_missing` if the account has no factor. */
  prove(stores: UseStores, account: Account, code: string): Promise<void>;
}
