/** A sign-in, as its account page shows it. */
export interface RecentSignIn {
  accountId: string;
  /** Milliseconds since the epoch. */
  at: number;
  clientId: string;
  /** How the person signed in (RFC 8176). */
  amr: readonly string[];
  ip?: string | undefined;
  /** At most 512 characters. */
  userAgent?: string | undefined;
}

/** The sign-ins that are kept for each account, the newest ones. */
export const keptSignIns = 20;

/** How long a sign-in is kept, in milliseconds: 90 days. */
export const keptSignInMs = 90 * 86_400_000;

/**
 * The last sign-ins of each account. A sign-in is written together with its event (`Outbox.append`, `UnitOfWork.recordSignIn`). The store also
 * deletes those that are older than `keptSignInMs` (`ExpiredRows`).
 */
export interface SignInHistory {
  /** The sign-ins of the account that are not older than `keptSignInMs`, the newest first, at most `keptSignIns`. */
  list(accountId: string, now: number): Promise<RecentSignIn[]>;
}
