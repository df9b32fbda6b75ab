/** What can be revoked without having been stored: a token, a family, a consent, a session at a client, a client. */
export type RevocationKey =
  | (`jti:${string}` | `family:${string}` | `consent:${string}`)
  | (`sid:${string}` | `client:${string}`);

/**
 * Revocations, held until everything they forbid would have expired anyway.
 *
 * Guarantee, on every implementation: once `revoke` has resolved, `anyRevoked` with that key is true in every
 * process until `expiresAt`; it survives a restart. Revoking twice keeps the later expiry.
 */
export interface Denylist {
  /** @param expiresAt milliseconds since the epoch */
  revoke(keys: RevocationKey[], expiresAt: number): Promise<void>;
  anyRevoked(keys: RevocationKey[]): Promise<boolean>;
}
