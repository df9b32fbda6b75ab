/** What happened to a secret. It is reported once for each change. */
export interface SecretChange {
  /**
   * `waiting`: the first read failed and is tried again. `outdated`: the secret can't be read or used, and the last good
   * value stays in use. `current`: it was read again after such a problem.
   */
  state: 'waiting' | 'outdated' | 'current';
  reference: string;
  /** Why, without the secret. */
  reason?: string | undefined;
}

/**
 * Reads secrets by reference: `file:/run/secrets/db`, `env:NAME`, `secretsmanager:NAME#KEY`. One line break at the end is
 * not part of a secret. Parallel calls for one secret may share one read.
 */
export interface Secrets {
  /**
   * Gives the secret. A store over a network may answer from a cache that is at most some minutes old. When such a
   * store can't be read, or holds a value that can't be used, the last good value stays in use.
   *
   * @throws an error that names the reference and says what to do. It never contains the secret.
   */
  resolve(reference: string): Promise<string>;
  /**
   * Gives every value that may be right now, the current one first, and without repetitions. It reads past the cache.
   * During a rotation, the next value may be in force before it is the current one. Call this when a value was refused.
   *
   * @throws like `resolve`
   */
  candidates(reference: string): Promise<string[]>;
}
