/** A mail that waits for its delivery. */
export interface Mail {
  /** `mail_…`; the same in every try. */
  id: string;
  /** What it says: the name of its template, for example `password-changed`. */
  kind: string;
  /** Undefined for an address without an account. */
  accountId?: string | undefined;
  /** The address, the language and the values of the template, sealed under the id, because links hold tokens. */
  content: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** After this time the mail is useless and is not sent any more. In milliseconds since the epoch. */
  expiresAt: number;
}

/** A mail that a process may send now. */
export interface ClaimedMail extends Mail {
  /** The number of earlier tries. */
  attempts: number;
  /** Why the last try failed. Undefined before the first failure. */
  reason?: string | undefined;
}

/** A mail that is not tried any more. */
export interface SetAsideMail extends Omit<Mail, 'content'> {
  attempts: number;
  /** Why it was set aside. */
  reason: string;
}

/**
 * Mails that wait for their delivery. A mail is added in the transaction that it belongs to. All times are in milliseconds
 * since the epoch.
 *
 * Guarantees, on every implementation, across processes:
 * - a mail is stored if and only if its transaction commits. It can be claimed again until it is removed or set aside. So it
 *   is sent at least once.
 * - no mail is held by two claims at the same time. A claim expires after `leaseMs`, so no mail is lost when a process is
 *   killed. The claim itself counts as a try.
 * - mails have no order, and a mail that fails never holds back another one.
 * - nothing is left of a mail that was removed.
 * - of any number of calls of `remove` and `markFailed` for one mail that waits, exactly one gives true.
 */
export interface Mails {
  add(mail: Mail): Promise<void>;
  /** Claims due mails, those that have waited the longest first, also expired ones: the caller sets these aside. */
  claim(limit: number, now: number, leaseMs: number): Promise<ClaimedMail[]>;
  /** Removes a mail that was sent or is not to be sent. Gives false when it does not wait any more. */
  remove(id: string): Promise<boolean>;
  /** Ends the claim and makes the mail due again at `dueAt`, as if this claim had not been. */
  postpone(id: string, dueAt: number): Promise<void>;
  /**
   * Ends the claim and makes the mail due again at `retryAt`. When `retryAt` is undefined, the mail is set aside and not
   * tried again before `retry`. Gives false when it does not wait any more.
   */
  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<boolean>;
  /** Gives the mails that were set aside, the oldest first, at most `limit`. */
  setAside(limit: number): Promise<SetAsideMail[]>;
  /**
   * Makes mails that were set aside due again, as if they had not been tried, unless they have expired at `now`. Does
   * nothing with other mails.
   *
   * @param ids undefined for all mails that were set aside
   * @returns the ids of the mails that are due again
   */
  retry(ids: string[] | undefined, now: number): Promise<string[]>;
  /** Gives the number of waiting mails, when the oldest of them was created, and separately the number set aside. */
  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }>;
}
