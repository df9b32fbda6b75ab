import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, epochSeconds } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import { meetsAcr } from '../lib/password-sign-in.ts';
import type { TokenStatus } from '../revocation/outage-tolerance.ts';
import type { EndpointDescription } from './endpoint.ts';
import type { VerifiedToken } from './endpoints.ts';
import { type Requirement, readVerifyTarget, verifyPath } from './verify-target.ts';

export interface VerifyDeps<Token extends Identity> {
  /** The claims of a token that we signed and that isn't expired. They do not show whether it was revoked. */
  read(token: string): Promise<Token | undefined>;
  /** @throws StoreUnavailable when the stores do not answer */
  tokenStatus(token: Token): Promise<TokenStatus>;
  audiences: readonly string[];
  defaultAudience: string;
  /** The levels that a sign-in can reach here. */
  acrValues: readonly string[];
  clock: Clock;
  metrics: { verified(outcome: 'accepted' | 'accepted_unchecked' | 'refused' | 'unavailable'): void };
}

/**
 * The handler for gateways that ask about each request (DESIGN §4): nginx `auth_request`, Envoy `ext_authz`, Traefik
 * `forwardAuth`. It answers every method and every path below its own, because Envoy keeps both of the original
 * request.
 */
export function verifyHandler<Token extends Identity>(deps: VerifyDeps<Token>) {
  return {
    [verifyPath]: async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      response.setHeader('Cache-Control', 'no-store');
      // If a gateway announces a body and does not send it, its next request would be read as the body.
      if (announcesBody(request)) response.setHeader('Connection', 'close');
      const identity = await answer(request, deps);
      response.writeHead(200, { ...identity, 'Content-Length': 0 });
      response.end();
    },
  };
}

const announcesBody = ({ headers }: IncomingMessage) =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

async function answer<Token extends Identity>(
  request: IncomingMessage,
  deps: VerifyDeps<Token>,
): Promise<Record<string, string>> {
  const wanted = readVerifyTarget(request.url ?? '');
  const { audience = deps.defaultAudience, scopes, acr = [] } = wanted;
  // Without this check a typing error in the gateway's settings would look like bad tokens.
  if (!deps.audiences.includes(audience))
    throw new GatehouseError('invalid_request', 'There is no API of this audience. See GATEHOUSE_APIS_FILE.');
  const unreachable = acr.find((one) => !deps.acrValues.includes(one));
  if (unreachable !== undefined)
    throw new GatehouseError(
      'invalid_request',
      'No sign-in here reaches this acr. See acr_values_supported in the discovery document.',
    );
  try {
    const token = await tokenOf(request, deps, audience);
    const status = await deps.tokenStatus(token);
    if (status === 'revoked') throw badToken();
    requireAuthentication(token, wanted, deps.clock);
    requireScopes(token, scopes);
    const isChecked = status === 'active';
    deps.metrics.verified(isChecked ? 'accepted' : 'accepted_unchecked');
    return identityHeaders(token, isChecked ? 'checked' : 'unchecked');
  } catch (error) {
    const code = error instanceof GatehouseError ? error.code : undefined;
    if (code === 'store_unavailable') deps.metrics.verified('unavailable');
    else if (code !== undefined) deps.metrics.verified('refused');
    throw error;
  }
}

async function tokenOf<Token extends Identity>(
  { headers }: IncomingMessage,
  deps: VerifyDeps<Token>,
  audience: string,
): Promise<Token> {
  const token = await deps.read(bearerTokenOf(headers.authorization ?? ''));
  if (token === undefined) throw badToken();
  // RFC 9449 §7.2: if a bound token were accepted as a Bearer token, a thief could use it. The proof cannot be checked
  // here, because it is made for the URL of the service.
  if (token.cnf)
    throw new GatehouseError('invalid_token', 'This access token is bound to a key; send one that is not.');
  if (token.aud !== audience)
    throw new GatehouseError('invalid_token', 'The access token is for another audience.');
  return token;
}

const badToken = () =>
  new GatehouseError('invalid_token', 'The access token is missing, expired, revoked or not ours.');

/**
 * RFC 9470: the level of the sign-in and its age. The age counts from the sign-in, because a refresh gives a new token
 * (`iat`) without a person. The token of a client itself has no sign-in, so it is refused.
 */
function requireAuthentication(token: Identity, { acr, maxAgeSeconds }: Requirement, clock: Clock): void {
  const isOld =
    maxAgeSeconds !== undefined && !(epochSeconds(clock) - (token.auth_time ?? Number.NaN) <= maxAgeSeconds);
  if (!isOld && (acr === undefined || meetsAcr(token.acr, acr))) return;
  const message = isOld
    ? 'The sign-in is too long ago. Sign in again.'
    : 'Another way to sign in is required.';
  throw new GatehouseError('insufficient_user_authentication', message, {
    challenge: {
      ...(acr === undefined ? {} : { acr_values: acr.join(' ') }),
      ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
    },
  });
}

function requireScopes(token: Identity, scopes: Requirement['scopes']): void {
  const granted = new Set(token.scope?.split(' '));
  if (scopes.every((scope) => granted.has(scope))) return;
  const scope = scopes.join(' ');
  throw new GatehouseError('insufficient_scope', `The access token needs the scope ${scope}.`, {
    challenge: { scope },
  });
}

/** The token of an Authorization header (RFC 6750 §2.1); '' when it is missing or of another scheme. */
export function bearerTokenOf(header: string): string {
  return /^bearer (?<token>[\w.~+/=-]+)$/i.exec(header)?.groups?.token ?? '';
}

/** The claims that tell a service behind a gateway which account and client send the request. */
export interface Identity extends VerifiedToken {
  aud: string;
}

/** The name of each header with its meaning, for the description of the API. */
export const identityHeaderNames = {
  'X-Auth-Subject': 'The account’s id, or for client credentials the client’s.',
  'X-Auth-Client': 'The client’s id.',
  'X-Auth-Audience': 'The API.',
  'X-Auth-Scope': 'The scopes, with blanks between.',
  'X-Auth-Email': 'The account’s address, where the token tells it.',
  'X-Auth-Email-Verified': '`true` or `false`, with the address.',
  'X-Auth-Roles': 'The roles, with blanks between: first-party clients only.',
  'X-Auth-Permissions': 'The permissions, with blanks between.',
  'X-Auth-Revocation': '`checked`, or `unchecked` where GATEHOUSE_VERIFY_WITHOUT_DENYLIST_SECONDS let it in.',
} as const;

/**
 * The headers that a gateway passes on to the service. Every header is always set, even if it is empty. If a header
 * were left out, the gateway would pass on the value that the caller sent. The percent sign, and every character that
 * is not printable ASCII, is percent-encoded as UTF-8.
 */
export function identityHeaders(
  token: Identity,
  revocation: 'checked' | 'unchecked',
): Record<keyof typeof identityHeaderNames, string> {
  return {
    'X-Auth-Subject': encoded(token.sub),
    'X-Auth-Client': encoded(token.client_id),
    'X-Auth-Audience': encoded(token.aud),
    'X-Auth-Scope': list(token.scope?.split(' ')),
    'X-Auth-Email': encoded(token.email ?? ''),
    'X-Auth-Email-Verified': token.email === undefined ? '' : String(token.email_verified === true),
    'X-Auth-Roles': list(token.roles),
    'X-Auth-Permissions': list(token.permissions),
    'X-Auth-Revocation': revocation,
  };
}

const list = (values: readonly string[] = []) => values.map(encoded).join(' ');

const encoded = (value: string) =>
  value.replace(/[^\x21-\x24\x26-\x7e]+/g, (odd) =>
    [...Buffer.from(odd, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );

const query = { in: 'query', required: false, schema: { type: 'string' } } as const;

/** For the description of the JSON API: only one of the accepted methods, and only the path with nothing appended. */
export const verifyDescription: EndpointDescription = {
  method: 'get',
  path: verifyPath,
  summary: 'Check an access token, for a gateway',
  description:
    'Says whether the request a gateway asks about may pass, and who sends it. Takes every method, ignores bodies, and also answers below this path. A gateway that puts the path and query of that request behind its own writes the parameters as `/auth/verify;audience=…;scope=…`. See docs/verify.md.',
  security: 'bearer',
  parameters: [
    { name: 'audience', description: 'The API; the default one when left out.', ...query },
    { name: 'scope', description: 'Scopes the token must have, all of them, with blanks between.', ...query },
    {
      name: 'acr',
      description:
        'Levels of sign-in (RFC 9470), one of which is enough, with blanks between. A higher level is enough too.',
      ...query,
    },
    {
      name: 'max_age',
      description: 'How many seconds ago the person may have signed in at most (RFC 9470).',
      ...query,
    },
  ],
  success: { status: 200, description: 'It may pass.', headers: identityHeaderNames },
  problems: ['invalid_request', 'invalid_token', 'insufficient_user_authentication', 'insufficient_scope'],
};
