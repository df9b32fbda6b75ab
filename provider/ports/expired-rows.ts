/** Expired rows, in a store that doesn't delete them itself. */
export interface ExpiredRows {
  /**
   * Deletes at most `limit` rows that expired before `now`, or clears the columns that did, in short transactions. Gives the
   * number of rows. Safe in parallel.
   */
  sweep(limit: number, now: number): Promise<number>;
}
