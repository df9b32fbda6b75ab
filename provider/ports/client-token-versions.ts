/**
 * The token version of each client: the number of its revocations. Each token carries the version of its time of issue. A
 * revocation raises the version, and tokens with a lower one are no longer valid.
 *
 * Guarantees, on every implementation, across processes: a version never goes down. Parallel calls of `raise` each get a
 * different version, without gaps.
 */
export interface ClientTokenVersions {
  /** Gives the versions by client id. A client that was never revoked is not in the map: its version is 0. */
  all(): Promise<ReadonlyMap<string, number>>;
  /** Gives the new version. */
  raise(clientId: string): Promise<number>;
}
