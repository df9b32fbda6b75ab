/**
 * The authenticator app of an account (RFC 6238), which the person has confirmed with a code. An account whose second
 * factors are only passkeys has this row too, without an app: its secret is then only the key of the recovery codes.
 */
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
  hasApp: boolean;
}

/** The state of a factor that the caller has read. The write happens only if it is still the stored one. */
export type SeenFactor = Pick<TotpFactor, 'id' | 'uses'>;

/** How many recovery codes an account has left. */
export interface StoredFactor extends TotpFactor {
  recoveryCodes: number;
}

/**
 * The second factors of accounts: one authenticator app for each account, and recovery codes. Passkeys have a store of
 * their own; their uses and changes raise `uses` here too, by `touch`. A store never sees a
 * secret or a code in clear. A used recovery code is deleted, so nothing is left behind that grows.
 *
 * Concurrency, on every implementation, across processes:
 * - of any number of parallel `add`s for one account, exactly one gets true;
 * - `useStep` and `useRecoveryCode` are one conditional write each. Of any number of parallel calls of both that have
 *   seen the same state, exactly one gets true, and no later call with this state gets true;
 * - of any number of parallel calls of `touch`, each gets other `uses`, and `useStep` and `useRecoveryCode` with an earlier
 *   state get false. In a transaction, the row is held until its end, so changes of one account follow each other.
 */
export interface SecondFactors {
  find(accountId: string): Promise<StoredFactor | undefined>;
  /** Gives false when the account has an app already, or a row and the factor has no app. An app replaces a row without one. */
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
  /**
   * Raises `uses` and gives the new state. Gives undefined when the account has no row.
   * @param sealedSecret the same secret, sealed by the newest key
   */
  touch(accountId: string, sealedSecret?: string): Promise<StoredFactor | undefined>;
  /** Removes the app and keeps the recovery codes, for an account that has passkeys. Gives false when it has no app. */
  removeApp(accountId: string): Promise<boolean>;
  /** Removes the factor and its recovery codes. Gives false when the account has none. */
  remove(accountId: string): Promise<boolean>;
}
