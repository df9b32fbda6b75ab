export type SuppressionReason =
  /** The server of the recipient said that the address does not exist, or that it takes no mail. */
  | 'bounce'
  /** The recipient called a mail unwanted. */
  | 'complaint';

/** An address that gets no mail. */
export interface MailSuppression {
  /** By `emailKey`, the form in which addresses are compared. */
  address: string;
  reason: SuppressionReason;
  /** When it was learned, in milliseconds since the epoch. */
  at: number;
  /** After this time the address gets mail again. In milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * The addresses that get no mail. Every implementation compares addresses by `emailKey`. All times are in milliseconds
 * since the epoch.
 *
 * Guarantees, on every implementation, across processes:
 * - an address has at most one entry. Of several `add`s of one address, in any order, the one with the latest `at` counts.
 * - an entry that has expired at `now` is not given.
 * - nothing is left of an entry that was removed.
 */
export interface MailSuppressions {
  /** @param suppression its address in any spelling */
  add(suppression: MailSuppression): Promise<void>;
  find(address: string, now: number): Promise<MailSuppression | undefined>;
  /** Gives at most `limit` entries, the newest first. */
  list(limit: number, now: number): Promise<MailSuppression[]>;
  /** Gives false when the address has no entry. */
  remove(address: string): Promise<boolean>;
}
