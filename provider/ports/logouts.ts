/** A logout of which a client has to learn (OpenID Connect Back-Channel Logout 1.0 §2.4). */
export interface Logout {
  /** `logout_…`; the same in every try. */
  id: string;
  clientId: string;
  /** The `sub` of the logout token. */
  accountId: string;
  /** The `sid` of the logout token. Undefined: it ends all sessions of the person at the client. */
  sid?: string | undefined;
  /** When the session ended, in milliseconds since the epoch. */
  endedAt: number;
}

/** A logout that a process may deliver now, with the place where it goes. */
export interface ClaimedLogout extends Logout {
  /** The number of earlier tries. */
  attempts: number;
  /** When the first try began, in milliseconds since the epoch. For the first try it is now. */
  firstTriedAt: number;
  uri: string;
  host: string;
  mayBePrivate: boolean;
}

/** A logout that is not tried any more. */
export interface SetAsideLogout extends Logout {
  attempts: number;
  /** Why the last try failed. */
  reason: string;
}

/** What one claim may take. */
export interface LogoutClaim {
  /** At most this many in all. */
  limit: number;
  /** At most this many for one host. */
  perHost: number;
  /** Takes none for these hosts. */
  busyHosts: readonly string[];
  /** Milliseconds since the epoch. */
  now: number;
  leaseMs: number;
}

/**
 * Logouts that wait for their delivery. `client-sessions.ts` makes them, in the transaction that ends a session. All
 * times are in milliseconds since the epoch.
 *
 * Guarantees, on every implementation, across processes:
 * - a logout can be claimed again until it is marked as delivered or set aside. So it is delivered at least once.
 * - no logout is held by two claims at the same time. A claim expires after `leaseMs`, so no logout is lost when a
 *   process is killed.
 * - logouts have no order, and a logout that fails never holds back another one. However many logouts wait for one host,
 *   a claim gives those of other hosts too, up to its limit.
 * - a claim gives the address that the client has now, not the one that it had when the session ended.
 * - of any number of calls of `markDelivered` and `markFailed` for one logout, exactly one gives true.
 */
export interface Logouts {
  /** Claims due logouts. Of each host, those that have waited the longest come first. */
  claim(claim: LogoutClaim): Promise<ClaimedLogout[]>;
  /** Removes the logout. Gives false when it is not there any more. */
  markDelivered(id: string): Promise<boolean>;
  /**
   * Ends the claim and makes the logout due again at `retryAt`. When `retryAt` is undefined, the logout is set aside and
   * not tried again before `retry`. Gives false when it is not there any more or was set aside before.
   */
  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<boolean>;
  /** Gives the logouts that were set aside, the oldest first, at most `limit`. */
  setAside(limit: number): Promise<SetAsideLogout[]>;
  /**
   * Makes logouts that were set aside due again, as if they had not been tried. Does nothing with other logouts.
   *
   * @param ids undefined for all logouts that were set aside
   * @returns the ids of the logouts that are due again
   */
  retry(ids: string[] | undefined): Promise<string[]>;
  /** Gives the number of waiting logouts, when the oldest of them ended, and separately the number set aside. */
  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }>;
}
