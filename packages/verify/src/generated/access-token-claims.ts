// Generated from the schemas of Gatehouse by `npm run generate`. Do not edit.

/** The claims of an access token (RFC 9068 §2.2). */
export interface AccessTokenClaims {
  /** The issuer. */
  iss: string;
  /** The id of the account; for client credentials the id of the client. */
  sub: string;
  /** The API, or the issuer. */
  aud: string;
  /** The client that the token was issued to. */
  client_id: string;
  /** The id of the token. */
  jti: string;
  /** When it was issued, in seconds since the epoch. */
  iat: number;
  /** When it expires, in seconds since the epoch. */
  exp: number;
  /** The scopes, separated by spaces. */
  scope?: string;
  /** The family: all tokens that were issued from one sign-in. */
  family?: string;
  /** For third-party clients: the consent that it was issued under. */
  consent?: string;
  /** The session at this client, if the family ends with the session. */
  sid?: string;
  /** The token version of the account. */
  generation?: number;
  /** The token version of the client, if it was ever revoked. */
  client_generation?: number;
  /** The email address; do not trust it unless `email_verified` is true. */
  email?: string;
  /** Whether the person proved that the address is theirs. */
  email_verified?: boolean;
  /** The roles of the account; for first-party clients only. */
  roles?: string[];
  /** What the person may do, and this client may do for them. */
  permissions?: string[];
  /** The claims that userinfo may return by request. */
  userinfo_claims?: string[];
  /** The level of the sign-in: one of `acr_values_supported` of discovery. */
  acr?: string;
  /** How the person signed in (RFC 8176). */
  amr?: string[];
  /** When the person signed in, in seconds since the epoch; a refresh does not change it. */
  auth_time?: number;
  /** The key that it is bound to (DPoP, RFC 9449). */
  cnf?: {
    jkt: string;
  };
}

/** The same claims for checks at run time. A question mark means that the claim can be missing. */
export const accessTokenShape = {
  iss: 'string',
  sub: 'string',
  aud: 'string',
  client_id: 'string',
  jti: 'string',
  iat: 'number',
  exp: 'number',
  scope: 'string?',
  family: 'string?',
  consent: 'string?',
  sid: 'string?',
  generation: 'number?',
  client_generation: 'number?',
  email: 'string?',
  email_verified: 'boolean?',
  roles: 'string[]?',
  permissions: 'string[]?',
  userinfo_claims: 'string[]?',
  acr: 'string?',
  amr: 'string[]?',
  auth_time: 'number?',
  cnf: 'object?',
} as const;

/** The levels of a sign-in (the claim `acr`), the lowest first. */
export const acrLevels: readonly string[] = [
  'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
  'http://schemas.openid.net/pape/policies/2007/06/multi-factor',
];
