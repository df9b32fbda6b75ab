import { z } from 'zod';

/** What an access token of ours holds. The types of `@gatehouse/verify` are generated from this schema. */
export const accessTokenClaimsSchema = z.looseObject({
  iss: z.string().describe('the issuer'),
  sub: z.string().describe('the id of the account; for client credentials the id of the client'),
  aud: z.string().describe('the API, or the issuer'),
  client_id: z.string().describe('the client that the token was issued to'),
  jti: z.string().describe('the id of the token'),
  iat: z.number().describe('when it was issued, in seconds since the epoch'),
  exp: z.number().describe('when it expires, in seconds since the epoch'),
  scope: z.string().optional().describe('the scopes, separated by spaces'),
  family: z.string().optional().describe('the family: all tokens that were issued from one sign-in'),
  consent: z.string().optional().describe('for third-party clients: the consent that it was issued under'),
  sid: z.string().optional().describe('the session at this client, if the family ends with the session'),
  generation: z.number().optional().describe('the token version of the account'),
  client_generation: z
    .number()
    .optional()
    .describe('the token version of the client, if it was ever revoked'),
  email: z.string().optional().describe('the email address; do not trust it unless `email_verified` is true'),
  email_verified: z.boolean().optional().describe('whether the person proved that the address is theirs'),
  roles: z.array(z.string()).optional().describe('the roles of the account; for first-party clients only'),
  permissions: z
    .array(z.string())
    .optional()
    .describe('what the person may do, and this client may do for them'),
  userinfo_claims: z.array(z.string()).optional().describe('the claims that userinfo may return by request'),
  acr: z.string().optional().describe('the level of the sign-in: one of `acr_values_supported` of discovery'),
  amr: z.array(z.string()).optional().describe('how the person signed in (RFC 8176)'),
  auth_time: z
    .number()
    .optional()
    .describe('when the person signed in, in seconds since the epoch; a refresh does not change it'),
  cnf: z.object({ jkt: z.string() }).optional().describe('the key that it is bound to (DPoP, RFC 9449)'),
});

/** The claims of an access token of ours (RFC 9068 §2.2 and DESIGN §4). */
export type AccessTokenClaims = z.infer<typeof accessTokenClaimsSchema>;
