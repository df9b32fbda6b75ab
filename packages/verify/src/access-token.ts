import type { AccessTokenClaims } from './generated/access-token-claims.ts';
import type { Requirements } from './requirements.ts';
import type { RevocationState } from './revocation-look.ts';

/** An access token that was checked. */
export interface AccessToken {
  /** All claims, with their types (RFC 9068 §2.2). */
  readonly claims: AccessTokenClaims;
  /** The id of the account; for client credentials the id of the client. */
  readonly subject: string;
  readonly clientId: string;
  readonly audience: string;
  /** Whether the client acts for itself (client credentials) and not for a person. */
  readonly isService: boolean;
  readonly scopes: readonly string[];
  /** Only tokens of first-party clients have roles. */
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly expiresAt: Date;
  readonly revocation: RevocationState;
  /** @throws VerifyError 403 `insufficient_scope` unless the token has all of these scopes */
  requireScopes(...scopes: string[]): void;
  /** @throws VerifyError 403 `insufficient_permissions` unless the token has all of these permissions */
  requirePermissions(...permissions: string[]): void;
  /** @throws VerifyError unless the token has all of this */
  require(requirements: Requirements): void;
}

/** @param check throws a VerifyError unless the claims have everything */
export function createAccessToken(
  claims: AccessTokenClaims,
  revocation: RevocationState,
  check: (requirements: Requirements) => void,
): AccessToken {
  return {
    claims,
    subject: claims.sub,
    clientId: claims.client_id,
    audience: claims.aud,
    isService: claims.sub === claims.client_id,
    scopes: claims.scope?.split(' ').filter((scope) => scope !== '') ?? [],
    roles: claims.roles ?? [],
    permissions: claims.permissions ?? [],
    expiresAt: new Date(claims.exp * 1000),
    revocation,
    requireScopes: (...scopes) => check({ scopes }),
    requirePermissions: (...permissions) => check({ permissions }),
    require: check,
  };
}
