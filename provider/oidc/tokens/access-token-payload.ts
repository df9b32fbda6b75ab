import type { AdapterPayload } from 'oidc-provider';
import type { AccessTokenClaims } from './access-token-claims.ts';
import { grantIdOf } from './grants.ts';

const wrapped = /^at~(?<encoded>[\w-]+)$/;

/**
 * The library refuses every token that looks like a JWT at introspection and revocation (DESIGN §6.3). A wrapped token does
 * not look like one, and has the same content.
 */
export function wrapToken(token: string): string {
  return looksLikeJwt(token) ? `at~${Buffer.from(token).toString('base64url')}` : token;
}

/** Whether a token has the three parts of a signed JWT (RFC 7515 §7.1). */
export const looksLikeJwt = (token: string): boolean => token.split('.', 4).length === 3;

/** Undoes `wrapToken`; returns any other text unchanged. */
export function unwrapToken(value: string): string {
  const encoded = wrapped.exec(value)?.groups?.encoded;
  return encoded ? Buffer.from(encoded, 'base64url').toString('utf8') : value;
}

/**
 * The model payload of a verified access token.
 * @param route the library's route: for userinfo the audience is left out, because userinfo refuses a token that has one;
 *   for revocation the grant is left out, because the library would end the whole grant
 */
export function accessTokenPayload(
  claims: AccessTokenClaims,
  route: string | undefined,
  issuer: string,
): AdapterPayload {
  const {
    jti,
    iat,
    exp,
    sub,
    client_id: clientId,
    aud,
    scope,
    cnf,
    family,
    generation: tokenVersion,
  } = claims;
  const { client_generation: clientTokenVersion } = claims;
  const { consent, sid, email, email_verified, roles, permissions, userinfo_claims: userinfoClaims } = claims;
  // RFC 9470 §6.2: an API that asks by introspection needs the level and the time of the sign-in too.
  const { acr, amr, auth_time } = claims;
  const told = {
    iss: issuer,
    sub,
    family,
    sid,
    email,
    email_verified,
    roles,
    permissions,
    acr,
    amr,
    auth_time,
  };
  const payload = {
    kind: 'AccessToken',
    jti,
    iat,
    exp,
    clientId,
    accountId: sub,
    grantId: route === 'revocation' ? undefined : grantIdOf({ accountId: sub, clientId, consentId: consent }),
    aud: route === 'userinfo' ? undefined : aud,
    scope,
    tokenVersion,
    clientTokenVersion,
    familyId: family,
    jkt: cnf?.jkt,
    claims: userinfoClaims && { userinfo: Object.fromEntries(userinfoClaims.map((name) => [name, null])) },
    extra: Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)),
  };
  return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
}
