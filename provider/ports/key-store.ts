/** A key set as it is stored, and its version. A call that replaces the set must give this version. */
export interface StoredKeySet {
  version: string;
  /** JSON text. `keys/key-set.ts` parses it. */
  value: string;
}

/**
 * The store of the signing keys.
 *
 * Concurrency, on every implementation, across processes: `save` is one compare-and-set. Of any number of parallel
 * calls with the same `expected` version, exactly one gets true. When `expected` is undefined, the value is saved only
 * if there is none yet. A reader never gets a partly written value.
 */
export interface KeyStore {
  load(): Promise<StoredKeySet | undefined>;
  save(value: string, expected: string | undefined): Promise<boolean>;
}
