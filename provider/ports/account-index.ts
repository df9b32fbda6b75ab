/** One sign-in of an account: a session of a browser, or a family of tokens. */
export interface AccountIndexEntry {
  kind: 'session' | 'family';
  /** An identifier that may be shown. It is not a bearer value. */
  id: string;
  /** The network, the time and the client of the sign-in, encrypted by the caller. */
  details: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** The largest number of entries of one account, on every implementation. */
export const mostEntriesOfAccount = 1000;

/**
 * The sign-ins of each account, so that people and administrators can list and end them.
 *
 * The index is written separately from the sessions and families, so it may differ from them. It may list an entry
 * whose session or family has already ended. It may also lack an entry until the session or family is used again, and
 * at least five minutes after the entry was last written. No security decision depends on the index. The account and
 * the id together identify an entry.
 *
 * An account has at most `mostEntriesOfAccount` entries. This bounds the cost of an account that signs in very often.
 * Above this bound, the entries that expire first are dropped, even the entry that was just put.
 *
 * Concurrency, on every implementation, across processes:
 * - parallel `put`s of different entries of one account are all kept. When the same entry is put twice, the last one
 *   stays.
 * - an entry is never returned after its `expiresAt`, even if it is still stored.
 */
export interface AccountIndex {
  put(accountId: string, entry: AccountIndexEntry): Promise<void>;
  /** Gives the entries in no particular order. */
  list(accountId: string): Promise<AccountIndexEntry[]>;
  remove(accountId: string, id: string): Promise<void>;
}
