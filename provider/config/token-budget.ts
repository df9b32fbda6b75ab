import type { AccessModel } from './access-model.ts';

/**
 * API Gateway accepts 10,240 bytes of request line and headers. This budget leaves 4 KiB for everything except the
 * access token: path, cookies, user agent, tracing headers.
 */
export const accessTokenBudgetBytes = 6144;

const base64Length = (bytes: number) => Math.ceil((bytes * 4) / 3);

const jsonBytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/**
 * An id of the greatest length that Gatehouse or a registered client has: `user_` and 128 bits, or a UUID with a
 * prefix.
 */
const id = 'x'.repeat(64);

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
    tokenVersion: 1_000_000,
    client_generation: 1_000_000,
    iat: 9_999_999_999,
    exp: 9_999_999_999,
    email: 'x'.repeat(254),
    email_verified: false,
    // The claim lists the names of all standard claims when a request asks for all of them (OpenID Connect Core §5.5).
    userinfo_claims: ['x'.repeat(240)],
  };
}

/**
 * The length in bytes of a signed access token (RFC 9068) that has these claims in addition to the claims of every
 * token.
 */
function accessTokenBytes(issuer: string, claims: Record<string, unknown>): number {
  const header = jsonBytes({ alg: 'RS256', typ: 'at+jwt', kid: id });
  const signatureBytes = 256;
  return (
    base64Length(header) +
    base64Length(jsonBytes({ ...fixedClaims(issuer), ...claims })) +
    base64Length(signatureBytes) +
    2
  );
}

/**
 * The length in bytes of the largest token that the model allows: a first-party token for an account with every role.
 */
export function largestAccessTokenBytes(model: AccessModel, issuer: string): number {
  const roles = Object.keys(model.roles);
  const permissions = [...new Set(Object.values(model.roles).flat())];
  const sizes = model.apis.map(({ audience, scopes }) => {
    const scope = ['openid profile email offline_access', ...scopes.map(({ name }) => name)].join(' ');
    return accessTokenBytes(issuer, { aud: audience, scope, roles, permissions });
  });
  return Math.max(0, ...sizes);
}
