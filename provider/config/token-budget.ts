import { claimsByScope, mostClaimBytes, protocolScopes } from '../lib/oidc-scopes.ts';
import { multiFactorAcr } from '../lib/password-sign-in.ts';
import type { AccessModel } from './access-model.ts';

/**
 * API Gateway accepts 10,240 bytes of request line and headers. This budget leaves 4 KiB for everything except the
 * token: path, cookies, user agent, tracing headers.
 */
export const tokenBudgetBytes = 6144;

const base64Length = (bytes: number) => Math.ceil((bytes * 4) / 3);

const jsonBytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/**
 * An id of the greatest length that Gatehouse or a registered client has: `user_` and 128 bits, or a UUID with a
 * prefix.
 */
const id = 'x'.repeat(64);

/** How the person signed in, at its greatest length: the longer level, and four methods of RFC 8176. */
const signedIn = {
  auth_time: 9_999_999_999,
  acr: multiFactorAcr,
  amr: ['pwd', 'mfa', 'user', 'hwk'],
};

/** The claims that every access token has, at their greatest length. */
function fixedClaims(issuer: string) {
  return {
    iss: issuer,
    sub: id,
    client_id: id,
    jti: id,
    sid: id,
    family: id,
    consent: id,
    generation: 1_000_000,
    client_generation: 1_000_000,
    iat: 9_999_999_999,
    exp: 9_999_999_999,
    email: 'x'.repeat(254),
    email_verified: false,
    ...signedIn,
  };
}

/**
 * The length in bytes of a signed access token (RFC 9068) that has these claims in addition to the claims of every
 * token.
 */
function accessTokenBytes(issuer: string, claims: Record<string, unknown>): number {
  return tokenBytes(jsonBytes({ ...fixedClaims(issuer), ...claims }));
}

/** The length in bytes of a signed token whose claims are JSON of this length. */
function tokenBytes(claimsBytes: number): number {
  const header = jsonBytes({ alg: 'RS256', typ: 'at+jwt', kid: id });
  const signatureBytes = 256;
  return base64Length(header) + base64Length(claimsBytes) + base64Length(signatureBytes) + 2;
}

/**
 * The length in bytes of the largest token that the model allows: a first-party token for an account with every role.
 */
export function largestAccessTokenBytes(model: AccessModel, issuer: string): number {
  const roles = Object.keys(model.roles);
  const permissions = [...new Set(Object.values(model.roles).flat())];
  // The names of all claims, when a request asks for all of them (OpenID Connect Core §5.5).
  const userinfo_claims = Object.values(claimsByScope(model.claims)).flat();
  const sizes = model.apis.map(({ audience, scopes }) => {
    const scope = [...protocolScopes, ...scopes.map(({ name }) => name)].join(' ');
    return accessTokenBytes(issuer, { aud: audience, scope, roles, permissions, userinfo_claims });
  });
  return Math.max(0, ...sizes);
}

/** The claims about a person, as the checks of client documents need them. */
export interface KnownClaims {
  /** All names. */
  names: readonly string[];
  /** The scope that a claim belongs to. */
  scopeOf(claim: string): string | undefined;
  /** The length in bytes of an id token that has these claims, each with its largest value. */
  idTokenBytes(claims: readonly string[]): number;
  /** The largest id token that fits through the headers of gateways, in bytes. */
  idTokenBudgetBytes: number;
}

/** Gives the built-in claims and those of the model. */
export function knownClaims(model: AccessModel, issuer: string): KnownClaims {
  const scopes = new Map<string, string>();
  for (const [scope, names] of Object.entries(claimsByScope(model.claims)))
    for (const name of names) scopes.set(name, scope);
  const roles = jsonBytes(Object.keys(model.roles));
  const largest: Record<string, number> = { roles, groups: roles, updated_at: 10, email_verified: 5 };
  const fixed = { iss: issuer, sub: id, aud: 'x'.repeat(128), sid: id, nonce: 'x'.repeat(256), at_hash: id };
  const always = jsonBytes({ ...fixed, iat: 9_999_999_999, exp: 9_999_999_999, ...signedIn });
  return {
    names: [...scopes.keys()],
    scopeOf: (claim) => scopes.get(claim),
    idTokenBytes: (claims) => {
      const sizes = claims.map((name) => jsonBytes(name) + 2 + (largest[name] ?? mostClaimBytes));
      return tokenBytes(sizes.reduce((sum, size) => sum + size, always));
    },
    idTokenBudgetBytes: tokenBudgetBytes,
  };
}
