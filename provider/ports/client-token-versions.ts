/**
 * The token version of each client: the number of times that the client was revoked. Each token carries the version
 * that was current when it was issued. A revocation raises the version. Tokens with a lower version are no longer
 * valid.
 *
 * Guarantees, on every implementation, across processes: a version never decreases. Parallel calls of `raise` each get
 * a different version, without gaps.
 */
export interface ClientTokenVersions {
  /** Gives the versions by client id. A client that was never revoked is not in the map: its version is 0. */
  all(): Promise<ReadonlyMap<string, number>>;
  /** Gives the new version. */
  raise(clientId: string): Promise<number>;
}
