/**
 * A family is everything that is issued from one authorization code, device code or password grant. Exactly one of its
 * refresh tokens is current. The store holds the keyed hash of this token, and the data for issuing the next tokens,
 * which the caller encrypts. So a family is one record, no matter how often it is refreshed, and no stored value can be
 * used as a token.
 */
export interface Family {
  id: string;
  accountId: string;
  clientId: string;
  /** The `sid` of its id tokens; undefined for a client without back-channel logout. */
  sid?: string | undefined;
  /** Keyed hash of the current refresh token. */
  currentHash: string;
  /** Sealed by the caller. */
  payload: string;
  /** The expiry of the current refresh token, in milliseconds since the epoch. */
  expiresAt: number;
}

/** The data that replaces the current refresh token. */
export interface Rotation {
  /** Keyed hash of the new refresh token. */
  hash: string;
  payload: string;
  expiresAt: number;
  /**
   * The token response of this rotation, kept for a client that did not receive it. Without one, `find` gives no
   * response from this rotation on, whatever the clocks of the processes say.
   */
  storedResponse?: StoredResponse | undefined;
}

/** A token response that is kept for a short time, so that a repeated request gets the same response. */
export interface StoredResponse {
  /** Sealed by the caller. */
  sealed: string;
  /** `find` returns it until this time, in milliseconds since the epoch. */
  until: number;
}

/** A family as the store gives it. */
export interface StoredFamily extends Family {
  /** The encrypted response of the last rotation; undefined after its `until`. */
  storedResponse?: string | undefined;
}

/**
 * Families and their current refresh tokens.
 *
 * Concurrency, on every implementation, across processes:
 * - `rotate` is one compare-and-set on the current hash. Of any number of parallel calls with the same `from`, exactly
 *   one gets true, and its new token is the current one from then on. The response is stored in the same atomic step,
 *   or not at all. It replaces the previous response. A rotation without a response deletes
 *   the previous one.
 * - once `end` has resolved, the family is not found, can't be opened and can't be rotated until the given time, even
 *   if it did not exist before. Its stored response is deleted. So a request that issues tokens at the same time can't
 *   leave a valid token.
 * - a family is never returned after its `expiresAt`, and a response is never returned after its `until`, even if they
 *   are still stored. `find` gives a family and a response that belong to the same rotation.
 */
export interface FamilyStore {
  /** Gives false when the family exists or was ended. */
  open(family: Family): Promise<boolean>;
  find(familyId: string): Promise<StoredFamily | undefined>;
  /** @param from keyed hash of the refresh token that is replaced */
  rotate(familyId: string, from: string, to: Rotation): Promise<boolean>;
  /** @param until the time at which all tokens of the family have expired, in milliseconds since the epoch */
  end(familyId: string, until: number): Promise<void>;
}
