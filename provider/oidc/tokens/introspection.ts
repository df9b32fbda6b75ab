import type { IncomingMessage } from 'node:http';
import type { ClientDocument } from '../../clients/client-document.ts';
import type { ClientRegistry } from '../../clients/client-registry.ts';
import { noteClient } from '../../lib/request-scope.ts';
import type { RateLimits } from '../../rate-limits/rate-limits.ts';
import type { AccessTokenClaims } from './access-token-claims.ts';
import { accessTokenPayload, looksLikeJwt } from './access-token-payload.ts';
import { type AccessTokenVerifier, isMachineToken } from './access-token-verifier.ts';
import type { Grants } from './grants.ts';

export interface IntrospectionOptions {
  issuer: string;
  clients: Pick<ClientRegistry, 'find' | 'mayBeThirdParty' | 'secretMatches'>;
  rateLimits: Pick<RateLimits, 'clientSecret'>;
  accessTokens: Pick<AccessTokenVerifier, 'verify'>;
  grants: Pick<Grants, 'isInForce'>;
}

/**
 * Answers an introspection request (RFC 7662) for one of our JWT access tokens, from a configured client with a right
 * secret. A gateway sends such a request for each request of its callers, so it is answered without the library.
 *
 * @param body the form
 * @returns the members of the response; undefined for every other request, which the library has to answer: other kinds
 *   of tokens and of client authentication, calls from browsers, and everything that is an error
 * @throws StoreUnavailable when it cannot be known whether the token was revoked
 */
export type Introspect = (request: IncomingMessage, body: Buffer) => Promise<object | undefined>;

export function createIntrospection(options: IntrospectionOptions): Introspect {
  const { issuer, clients, rateLimits, accessTokens, grants } = options;

  const authenticated = async (request: IncomingMessage, sent: URLSearchParams) => {
    const credentials = secretCredentials(request, sent);
    const client = credentials && clients.find(credentials.clientId);
    // A client that registered itself may have changed elsewhere: the library looks it up.
    if (!client?.auth.startsWith('client_secret') || clients.mayBeThirdParty(client.id)) return undefined;
    return (await checkSecret(request, client.id, credentials?.secret ?? '')) ? client : undefined;
  };

  const checkSecret = async (request: IncomingMessage, clientId: string, secret: string) => {
    const check = rateLimits.clientSecret(clientId, () => clients.secretMatches(clientId, secret));
    // A wrong secret is counted once: the library is given the same result.
    checkedSecrets.set(request, check);
    return check.catch(() => false);
  };

  const isInForce = (claims: AccessTokenClaims) => {
    const { sub: accountId, client_id: clientId, consent: consentId } = claims;
    return isMachineToken(claims) || grants.isInForce({ accountId, clientId, consentId });
  };

  return async (request, body) => {
    const sent = new URLSearchParams(body.toString('utf8'));
    const token = sent.get('token') ?? '';
    if (!isPlain(request, sent) || !looksLikeJwt(token)) return undefined;
    const client = await authenticated(request, sent);
    if (client === undefined) return undefined;
    noteClient(client.id);
    const claims = await accessTokens.verify(token);
    const isShown =
      claims && mayIntrospect(client, claims.client_id, claims.aud) && (await isInForce(claims));
    return isShown ? answerOf(claims, issuer) : { active: false };
  };
}

const checkedSecrets = new WeakMap<IncomingMessage, Promise<boolean>>();

/** The result of the check of the client's secret, if it was checked before the library got the request. */
export const checkedSecret = (request: IncomingMessage): Promise<boolean> | undefined =>
  checkedSecrets.get(request);

/** A client may introspect its own tokens; others only when its document says that it answers for their API. */
export function mayIntrospect(
  client: ClientDocument,
  clientId: string | undefined,
  audience: string,
): boolean {
  return clientId === client.id || client.introspects.includes(audience);
}

/** The parameters that the library knows here and that need no more than this file knows. */
const understood = new Set(['token', 'token_type_hint', 'client_id', 'client_secret']);
/** Such headers authenticate a client too, or come from a browser. */
const otherHeaders = ['origin', 'oauth-client-attestation', 'oauth-client-attestation-pop'];

/** The library refuses a repeated parameter, and answers browsers by the client's document. */
function isPlain({ headers }: IncomingMessage, sent: URLSearchParams): boolean {
  const names = [...sent.keys()];
  return (
    names.every((name) => understood.has(name)) &&
    new Set(names).size === names.length &&
    !otherHeaders.some((name) => headers[name] !== undefined)
  );
}

/**
 * The id and the secret of a client that sends them in one way: in a header (RFC 6749 §2.3.1) or in the form. Undefined
 * for every other text, also for one that is an error.
 */
function secretCredentials(
  { headers: { authorization } }: IncomingMessage,
  sent: URLSearchParams,
): { clientId: string; secret: string } | undefined {
  const [named, secret] = [sent.get('client_id') ?? '', sent.get('client_secret') ?? ''];
  if (authorization === undefined) return named && secret ? { clientId: named, secret } : undefined;
  const base64 = /^basic (?<base64>[A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.groups?.base64 ?? '';
  if (secret !== '' || base64.length % 4 !== 0) return undefined;
  const parts = /^(?<id>[\w.~-]+):(?<password>[\w.~-]+)$/.exec(
    Buffer.from(base64, 'base64').toString('utf8'),
  );
  const { id = '', password = '' } = parts?.groups ?? {};
  if (id === '' || (named !== '' && named !== id)) return undefined;
  return { clientId: id, secret: password };
}

/** RFC 7662 §2.2. The library's answer is the same text, which a test compares. */
function answerOf(claims: AccessTokenClaims, issuer: string): object {
  const { client_id, exp, iat, jti, aud, sub, scope, cnf } = claims;
  const told = isMachineToken(claims)
    ? {}
    : { sub, ...(accessTokenPayload(claims, 'introspection', issuer).extra as object), sid: undefined };
  return {
    active: true,
    ...told,
    client_id,
    exp,
    iat,
    iss: issuer,
    jti,
    aud,
    scope: scope || undefined,
    cnf: cnf && { jkt: cnf.jkt },
    token_type: cnf ? 'DPoP' : 'Bearer',
  };
}
