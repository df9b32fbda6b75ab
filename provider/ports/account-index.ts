/** One place where an account is signed in: a browser's session, or a family of tokens. */
export interface AccountIndexEntry {
  kind: 'session' | 'family';
  /** A handle that may be shown: no bearer value. */
  id: string;
  /** Sealed by the caller: from where, since when, for which client. */
  details: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** How many entries an account has at most, on every implementation. */
export const mostEntriesOfAccount = 1000;

/**
 * Where each account is signed in, so that people and administrators can look and end it. It follows the sessions and
 * families themselves: written apart from them, it may name one that is gone already, and lack one until that is used
 * again, five minutes or more after it was last written. Nothing is decided by it. An entry is known by its account and
 * its id.
 *
 * An account has at most `mostEntriesOfAccount` entries, so that one that signs in all the time costs no more than
 * that: beyond, those that expire first are dropped, be it the one just put.
 *
 * Concurrency, on every implementation, across processes: parallel `put`s of different entries of one account are all
 * kept; of one entry the last one stays. An entry past its `expiresAt` is never returned, swept or not.
 */
export interface AccountIndex {
  put(accountId: string, entry: AccountIndexEntry): Promise<void>;
  /** In no particular order. */
  list(accountId: string): Promise<AccountIndexEntry[]>;
  remove(accountId: string, id: string): Promise<void>;
}
