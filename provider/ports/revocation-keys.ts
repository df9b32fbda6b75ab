/**
 * The keys under which the denylist holds a revocation. A revocation needs no stored token:
 * - `jti:` one access token
 * - `family:` a family of tokens
 * - `consent:` everything that was issued under a consent
 * - `session:` a browser session
 * - `sid:` a session at one client
 * - `client:ID@VERSION` everything that a client was issued under one of its token versions
 * - `changed:` a notice, not a revocation: an account or a consent changed, so a process must not use a copy that it
 *   read before
 */
export type RevocationKey =
  | `jti:${string}`
  | `family:${string}`
  | `consent:${string}`
  | `session:${string}`
  | `sid:${string}`
  | `client:${string}`
  | `changed:${string}`;

/**
 * The key of everything that a client was issued under this token version. A client that was never revoked has version
 * 0.
 */
export const clientKey = (clientId: string, tokenVersion = 0): RevocationKey =>
  `client:${clientId}@${tokenVersion}`;

/** The notice that an account changed. */
export const accountNotice = (accountId: string): RevocationKey => `changed:${accountId}`;

/** The notice that the consent of an account for a client changed. */
export const consentNotice = (accountId: string, clientId: string): RevocationKey =>
  `changed:${accountId} ${clientId}`;

/** The notice that any account or consent may have changed. */
export const everythingNotice: RevocationKey = 'changed:*';

/** The claims of an access token from which its revocation keys are made. */
export interface RevocationSubjects {
  jti: string;
  family?: string | undefined;
  consent?: string | undefined;
  sid?: string | undefined;
  clientId: string;
  /** The client's token version when the token was issued. Default: 0. */
  clientTokenVersion?: number | undefined;
}

/** @returns the keys of one access token. The token is revoked if any returned key is listed. */
export function revocationKeys(token: RevocationSubjects): RevocationKey[] {
  const { jti, family, consent, sid, clientId, clientTokenVersion } = token;
  const keys: RevocationKey[] = [`jti:${jti}`, clientKey(clientId, clientTokenVersion)];
  if (family !== undefined) keys.push(`family:${family}`);
  if (consent !== undefined) keys.push(`consent:${consent}`);
  if (sid !== undefined) keys.push(`sid:${sid}`);
  return keys;
}
