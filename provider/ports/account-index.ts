/** One sign-in of an account: a session of a browser, or a family of tokens. */
export interface AccountIndexEntry {
  kind: 'session' | 'family';
  /** An identifier that may be shown. It is not a bearer value. */
  id: string;
  /** The network, the time and the client of the sign-in, encrypted by the caller. */
  details: string;
  /** When the sign-in was last used. Milliseconds since the epoch. */
  usedAt: number;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** The place of an entry in the order of `page`. */
export type AccountIndexPosition = Pick<AccountIndexEntry, 'usedAt' | 'id'>;

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
 * The order of `page` is: last used first; entries of the same time by `id`, the greatest first, compared byte by byte.
 * An entry that was written by a release without `usedAt` has the time 0.
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
  /**
   * Gives at most `most` entries in order, without reading the others. An entry that is used between two calls moves to
   * the first page; no other entry is left out or given twice.
   * @param after the last entry of the page before; left out for the first page
   */
  page(accountId: string, most: number, after?: AccountIndexPosition): Promise<AccountIndexEntry[]>;
  find(accountId: string, id: string): Promise<AccountIndexEntry | undefined>;
  remove(accountId: string, id: string): Promise<void>;
}
