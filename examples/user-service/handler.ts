import { createVerifier } from '@gatehouse/verify';
import { type ApiEvent, requireAuthorizerClaims } from '@gatehouse/verify/lambda';
import { users } from './users.ts';

/** The part of an event of an HTTP API (payload format 2.0) that this service reads. */
interface HttpApiEvent extends ApiEvent {
  /** Method and path of the route, as they are in API Gateway. */
  routeKey: string;
}

const { ISSUER: issuer = '', AUDIENCE: audience = '' } = process.env;

/** API Gateway has checked the signature. This verifier reads the claims, and sends no request. */
const verifier = createVerifier({ issuer, audience });
/** API Gateway does not see that a token was revoked. This verifier asks Gatehouse for each request. */
const careful = createVerifier({ issuer, audience, revocation: true });

const json = (statusCode: number, body: unknown) => ({
  statusCode,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

const me = requireAuthorizerClaims(verifier, { scopes: ['account:read'] }, (_: HttpApiEvent, token) =>
  json(200, {
    id: token.subject,
    roles: token.roles,
    permissions: token.permissions,
    email: token.claims.email,
    emailVerified: token.claims.email_verified ?? false,
  }),
);

const list = requireAuthorizerClaims(careful, { permissions: ['users:read'] }, (_: HttpApiEvent) =>
  json(200, { users }),
);

/** The user service as a Lambda function behind an HTTP API with a JWT authorizer. Settings: ISSUER and AUDIENCE. */
export const handler = async (event: HttpApiEvent, context: unknown) => {
  if (event.routeKey === 'GET /v1/me') return me(event, context);
  if (event.routeKey === 'GET /v1/users') return list(event, context);
  return json(404, { error: 'not found' });
};
