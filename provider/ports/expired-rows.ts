/** The expired rows of a store that does not delete them itself. */
export interface ExpiredRows {
  /**
   * Deletes rows that expired before `now`, or clears the columns of a row that expired before `now`. Processes at most
   * `limit` rows, in short transactions. Gives the number of processed rows. Parallel calls are safe.
   *
   * @param now milliseconds since the epoch
   */
  sweep(limit: number, now: number): Promise<number>;
}
