/** One sign-in of an account: a session of a browser, or a family of tokens. */
export interface AccountIndexEntry {
  kind: 'session' | 'family';
  /** An identifier that may be shown. It is not a bearer value. */
  id: string;
  /** Sealed by the caller: the network, the time and the client of the sign-in. */
  details: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** The largest number of entries of one account, on every implementation. */
export const mostEntriesOfAccount = 1000;

/**
 * The sign-ins of each account, so that people and administrators can list and end them. The index is written apart from
 * the sessions and families. So it may list one that has ended already. It may also lack one until that is used again, at
 * least five minutes after it was last written. No security decision depends on the index. An entry is identified by its
 * account and its id.
 *
 * An account has at most `mostEntriesOfAccount` entries, which bounds the cost of an account that signs in all the time.
 * Beyond this bound the entries that expire first are dropped, even the one that was just put.
 *
 * Concurrency, on every implementation, across processes:
 * - parallel `put`s of different entries of one account are all kept. When the same entry is put twice, the last one stays.
 * - an entry is never returned after its `expiresAt`, swept or not.
 */
export interface AccountIndex {
  put(accountId: string, entry: AccountIndexEntry): Promise<void>;
  /** Gives the entries in no particular order. */
  list(accountId: string): Promise<AccountIndexEntry[]>;
  remove(accountId: string, id: string): Promise<void>;
}
