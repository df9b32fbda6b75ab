/** A token of a mail that waits to be used. The store holds no token and no code in clear. */
export interface OneTimeToken {
  /** What it is for, for example `recover`. */
  purpose: string;
  /** The account or the address that has at most one token for the purpose. An opaque text. */
  subject: string;
  /** The keyed hash of the token in the link. */
  hash: string;
  /** Undefined for an address without an account. */
  accountId?: string | undefined;
  /** The token version of the account when the token was made. */
  tokenVersion?: number | undefined;
  /** The address that the token was sent to, so the token proves it. */
  address: string;
  /** Values of the owner, sealed. */
  details?: string | undefined;
  /** The short code and the page or flow that asked for it, both as keyed hashes. Undefined for a mail with a link only. */
  code?: { flowHash: string; hash: string } | undefined;
  /** Milliseconds since the epoch. From this time on it is not found any more. */
  expiresAt: number;
}

/** A wrong code may be tried so often for one token. */
export const mostWrongCodes = 5;

/**
 * Tokens of mails that can be used once. The store also deletes those that have expired (`ExpiredRows`).
 *
 * Guarantees, on every implementation, across processes:
 * - there is one token for a purpose and a subject at most. `replace` is one write: after any number of parallel calls
 *   exactly one of the given tokens is left, and the earlier ones can be neither found nor spent.
 * - `find` changes nothing.
 * - `spend` is one conditional write. Of any number of parallel calls for one token exactly one gets true, and nothing is
 *   left of the token. In a transaction that is rolled back the token stays.
 * - `tryCode` is one conditional write that counts wrong codes. Of any number of parallel calls with wrong codes for one
 *   token, `mostWrongCodes` are compared. After them the right code is refused too; the link is not affected. A right code
 *   spends nothing and is not counted.
 * - a token that has expired at `now` is never given and never spent.
 */
export interface OneTimeTokens {
  /** Stores a token and removes the earlier one of its purpose and subject. */
  replace(token: OneTimeToken): Promise<void>;
  find(hash: string, now: number): Promise<OneTimeToken | undefined>;
  /**
   * Gives the token of this flow when the code is right. Call it outside of a transaction that may be rolled back:
   * otherwise a wrong code is not counted.
   */
  tryCode(code: { flowHash: string; hash: string }, now: number): Promise<OneTimeToken | undefined>;
  spend(hash: string, now: number): Promise<boolean>;
  /** Removes the token of a purpose and a subject. Does nothing when there is none. */
  remove(purpose: string, subject: string): Promise<void>;
}
