/**
 * A family is everything issued from one code, device code or password redemption. Of its refresh tokens one
 * is current; the store holds that one's keyed hash and what is needed to issue from it, sealed by the caller.
 * So a family costs one record however often it is refreshed, and no stored value can be presented.
 */
export interface Family {
  id: string;
  accountId: string;
  clientId: string;
  /** Keyed hash of the current refresh token. */
  currentHash: string;
  /** Sealed by the caller. */
  payload: string;
  /** Milliseconds since the epoch: when the current refresh token expires. */
  expiresAt: number;
}

export interface Rotation {
  /** Keyed hash of the successor. */
  hash: string;
  payload: string;
  expiresAt: number;
  /** What the spent token was answered with, sealed by the caller. */
  answer: Answer;
}

export interface Answer {
  sealed: string;
  /** Milliseconds since the epoch: until when it is given again. */
  until: number;
}

export interface StoredFamily extends Family {
  /** The answer of the last rotation, sealed, as long as it is given again. */
  answer?: string | undefined;
}

/**
 * Concurrency, on every implementation, across processes:
 * - `rotate` is one compare-and-set on the current hash. Of any number of parallel calls with the same `from`
 *   exactly one gets true, and its successor is the current token from then on. The answer is stored in the same step,
 *   or not at all, and replaces the one before.
 * - once `end` has resolved, the family is not found, can't be opened and can't be rotated until the time given, whether
 *   it existed before or not, and its answer is gone. So an issue that races an end can't leave a live token behind.
 * - a family past its `expiresAt` is never returned, and neither is an answer past its `until`, swept or not. `find` sees
 *   a family and its answer as one rotation left them.
 */
export interface FamilyStore {
  /** False when the family was ended already, or exists. */
  open(family: Family): Promise<boolean>;
  find(familyId: string): Promise<StoredFamily | undefined>;
  rotate(familyId: string, from: string, to: Rotation): Promise<boolean>;
  end(familyId: string, until: number): Promise<void>;
}
