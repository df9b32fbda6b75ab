/** Rows whose time is over, in a store that doesn't drop them by itself. */
export interface ExpiredRows {
  /**
   * Deletes at most `limit` rows that expired before `now`, or what of them did, in short transactions; gives how many.
   * Safe in parallel.
   */
  sweep(limit: number, now: number): Promise<number>;
}
