/**
 * How often a client was revoked: everything it is issued carries the number of then, and a revocation ends all with a lower one.
 *
 * Guarantees, on every implementation, across processes: a number never goes down, and of any number of parallel calls of
 * `raise` each gets another one, without gaps.
 */
export interface ClientTokenVersions {
  /** By client id. One that was never revoked isn't in it: its number is 0. */
  all(): Promise<ReadonlyMap<string, number>>;
  /** Gives the new number. */
  raise(clientId: string): Promise<number>;
}
