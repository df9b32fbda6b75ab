/**
 * A key that can be revoked. Nothing has to be stored about it before. Kinds:
 *
 * - `jti:` one token, by its id
 * - `family:` the tokens of one sign-in at one client
 * - `consent:` the tokens issued under one consent
 * - `session:` one session of a browser
 * - `sid:` one session of a browser at one client
 * - `client:` what a client was issued under one of its token versions: its id, `@`, and the version
 * - `changed:` what was read before an account or a consent was changed, named by `revocation/change-notices.ts`
 */
export type RevocationKey =
  | (`jti:${string}` | `family:${string}` | `consent:${string}` | `session:${string}`)
  | (`sid:${string}` | `client:${string}` | `changed:${string}`);

/** The key of everything that a client was issued under this token version. */
export const clientKey = (clientId: string, tokenVersion = 0): RevocationKey =>
  `client:${clientId}@${tokenVersion}`;

/** The claims of an access token that can be revoked. */
export interface RevocationSubjects {
  jti: string;
  family?: string | undefined;
  consent?: string | undefined;
  sid?: string | undefined;
  clientId: string;
  /** The client's token version at the time of issue. Undefined means 0. */
  clientTokenVersion?: number | undefined;
}

/**
 * The list of revoked keys. An entry is kept until everything that it revokes has expired.
 *
 * Guarantees, on every implementation:
 * - once `revoke` has resolved, `anyRevoked` with that key is true in every process until `expiresAt`, also after a
 *   restart.
 * - when a key is revoked twice, the later expiry counts.
 */
export interface Denylist {
  /** @param expiresAt milliseconds since the epoch */
  revoke(keys: RevocationKey[], expiresAt: number): Promise<void>;
  /** Gives true when at least one of the keys is revoked. */
  anyRevoked(keys: RevocationKey[]): Promise<boolean>;
}
