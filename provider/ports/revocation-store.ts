import type { Denylist } from './denylist.ts';
import type { RevocationKey } from './revocation-keys.ts';

/** One revoked key and the time until which it is revoked. */
export interface RevocationEntry {
  key: RevocationKey;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** The durable denylist. Caches are filled from it. */
export interface RevocationStore extends Denylist {
  /**
   * Gives one page of the revocations that have not expired, ordered by key.
   *
   * @param page `after` is the last key of the previous page; `limit` is the largest number of entries. With
   *   `recentSeconds`, the page leaves out keys whose last revocation is older than that. The store's own clock
   *   measures this age, so the result does not depend on the clock of a process.
   */
  inForce(page: {
    after?: RevocationKey | undefined;
    limit: number;
    recentSeconds?: number | undefined;
  }): Promise<RevocationEntry[]>;
}
