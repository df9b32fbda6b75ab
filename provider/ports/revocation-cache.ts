import type { RevocationKey } from './revocation-keys.ts';
import type { RevocationEntry } from './revocation-store.ts';

/**
 * A fast copy of the revocation store, on a server that may lose its data.
 *
 * Guarantees, on every implementation, across processes:
 * - `anyRevoked` gives true or false only while the cache is complete. It gives undefined when the cache was never
 *   declared complete, or has lost data after that.
 * - while the cache is complete, it holds every entry that was put before it was declared complete.
 * - `declareComplete` gives false when the cache lost data after `begin`.
 * - when an entry is put twice, the later expiry counts.
 */
export interface RevocationCache {
  /** Gives undefined when the cache is not complete. */
  anyRevoked(keys: RevocationKey[]): Promise<boolean | undefined>;
  put(entries: readonly RevocationEntry[]): Promise<void>;
  /** Call it before all entries are copied. Gives the value that `declareComplete` needs. */
  begin(): Promise<string>;
  /** Call it after all entries were copied. Gives true when the cache is complete now. */
  declareComplete(begun: string): Promise<boolean>;
}
