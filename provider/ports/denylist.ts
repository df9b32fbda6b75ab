import type { RevocationKey } from './revocation-keys.ts';

/**
 * Revocations, held until everything they forbid would have expired anyway.
 *
 * Guarantee, on every implementation: once `revoke` has resolved, `anyRevoked` with that key is true in every
 * process until `expiresAt`; it survives a restart. Revoking twice keeps the later expiry.
 */
export interface Denylist {
  /** @param expiresAt milliseconds since the epoch */
  revoke(keys: RevocationKey[], expiresAt: number): Promise<void>;
  anyRevoked(keys: RevocationKey[]): Promise<boolean>;
}

export interface RevocationEntry {
  key: RevocationKey;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** The denylist that lasts, from which copies are made. */
export interface RevocationStore extends Denylist {
  /**
   * What is in force, in the order of keys, a page at a time.
   *
   * @param page `after` which key; at most `limit`; `recentSeconds` leaves out what was last revoked longer ago than that,
   *   by the store's own clock, so that it doesn't matter whose clock is right
   */
  inForce(page: {
    after?: RevocationKey | undefined;
    limit: number;
    recentSeconds?: number | undefined;
  }): Promise<RevocationEntry[]>;
}

/**
 * A fast copy of the denylist, in a store that may lose what it holds.
 *
 * Guarantees, on every implementation, across processes:
 * - `anyRevoked` never answers from a copy that lacks an entry which was put before it was last declared whole: a copy
 *   that was never declared whole, or that lost its data since, gives undefined.
 * - `declareComplete` fails when the copy lost its data after `begin`.
 * - an entry put twice keeps the later expiry.
 */
export interface RevocationCache {
  /** Undefined when the copy can't say. */
  anyRevoked(keys: RevocationKey[]): Promise<boolean | undefined>;
  put(entries: readonly RevocationEntry[]): Promise<void>;
  /** Before everything is copied; gives what `declareComplete` needs. */
  begin(): Promise<string>;
  /** After everything was copied. Gives whether it is whole. */
  declareComplete(begun: string): Promise<boolean>;
}
