/** The authenticator app of an account (RFC 6238). The person has confirmed it with a code. */
export interface TotpFactor {
  /** `totp_…`. An account that replaces its app gets a new id, so a write for the old app changes nothing. */
  id: string;
  /** The shared secret, encrypted. */
  sealedSecret: string;
  /** The time step of the newest code that was used, in units of 30 seconds since the epoch (RFC 6238 §4.2). */
  lastStep: number;
  /** How often the factor was used, by a code of the app or by a recovery code. */
  uses: number;
  /** Milliseconds since the epoch. */
  addedAt: number;
}

/** The state of a factor that the caller has read. The write happens only if it is still the stored one. */
export type SeenFactor = Pick<TotpFactor, 'id' | 'uses'>;

/** How many recovery codes an account has left. */
export interface StoredFactor extends TotpFactor {
  recoveryCodes: number;
}

/**
 * The second factors of accounts: one authenticator app for each account, and recovery codes. A store never sees a
 * secret or a code in clear. A used recovery code is deleted, so nothing is left behind that grows.
 *
 * Concurrency, on every implementation, across processes:
 * - of any number of parallel `add`s for one account, exactly one gets true;
 * - `useStep` and `useRecoveryCode` are one conditional write each. Of any number of parallel calls of both that have
 *   seen the same state, exactly one gets true, and no later call with this state gets true.
 */
export interface SecondFactors {
  find(accountId: string): Promise<StoredFactor | undefined>;
  /** Gives false when the account has a factor already. */
  add(accountId: string, factor: TotpFactor): Promise<boolean>;
  /**
   * Stores that the code of this step was used, and counts the use.
   * @param sealedSecret the same secret, sealed by the newest key
   * @returns false when the state is not the seen one, or when the step is not later than the last one
   */
  useStep(accountId: string, seen: SeenFactor, step: number, sealedSecret: string): Promise<boolean>;
  /** Deletes the recovery code with this hash, and counts the use. Gives false when there is none, or for another state. */
  useRecoveryCode(accountId: string, seen: SeenFactor, hash: string): Promise<boolean>;
  /** Replaces all recovery codes of this factor. Gives false when the account has another factor or none. */
  replaceRecoveryCodes(accountId: string, factorId: string, hashes: readonly string[]): Promise<boolean>;
  /** Removes the factor and its recovery codes. Gives false when the account has none. */
  remove(accountId: string): Promise<boolean>;
}
