import type { RevocationKey } from './revocation-keys.ts';

/**
 * The list of revoked keys. An entry is kept until everything that it revokes has expired.
 *
 * Guarantees, on every implementation:
 * - once `revoke` has resolved, `anyRevoked` with that key gives true in every process until `expiresAt`, also after a
 *   restart.
 * - when a key is revoked twice, the later expiry counts.
 */
export interface Denylist {
  /** @param expiresAt milliseconds since the epoch */
  revoke(keys: RevocationKey[], expiresAt: number): Promise<void>;
  /** Gives true when at least one of the keys is revoked. */
  anyRevoked(keys: RevocationKey[]): Promise<boolean>;
}
