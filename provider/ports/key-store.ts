/** A key set as stored, and the version under which it can be replaced. */
export interface StoredKeySet {
  version: string;
  /** JSON text; read by `keys/key-set.ts`. */
  value: string;
}

/**
 * The store of the signing keys.
 *
 * Concurrency, on every implementation, across processes: `save` is one compare-and-set. Of any number of
 * parallel calls with the same `expected` version, exactly one gets true. When `expected` is undefined, the value is saved
 * only if there is none yet. A reader never gets a partly written value.
 */
export interface KeyStore {
  load(): Promise<StoredKeySet | undefined>;
  save(value: string, expected: string | undefined): Promise<boolean>;
}
