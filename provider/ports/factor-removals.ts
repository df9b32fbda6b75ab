/**
 * The wish of a person who lost every second factor: from `dueAt` on, a sign-in with the password removes the factors. It
 * counts only while the account is in the state that it names, so any use or change of a factor, a new password and 'sign
 * out everywhere' cancel it.
 */
export interface FactorRemoval {
  /** The id of the factor. */
  factorId: string;
  /** How often the factor was used at the time of the wish. */
  uses: number;
  /** The token version of the account at that time. */
  tokenVersion: number;
  /** Milliseconds since the epoch. */
  dueAt: number;
  /** After this time the wish is void, and its row may be deleted. In milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * At most one wish for each account.
 *
 * Concurrency, on every implementation, across processes: of any number of parallel calls of `request` for one account and
 * state, exactly one gets true, and its wish stays.
 */
export interface FactorRemovals {
  /**
   * Stores the wish instead of an earlier one.
   * @returns false, and changes nothing, when there is one for the same state that is not void at `now`
   */
  request(accountId: string, removal: FactorRemoval, now: number): Promise<boolean>;
  find(accountId: string): Promise<FactorRemoval | undefined>;
}
