import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { deviceCodeGrant } from '../../lib/device-code-grant.ts';
import { withoutLoopbackPort } from '../../lib/parse-url.ts';
import { noteAccount, noteClient } from '../../lib/request-scope.ts';
import { clientOf, currentContext, orUnavailable, rememberClient } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
import { admitAnonymousRecord, isPublicClient } from '../storage/anonymous-records.ts';
import { checkedSecret } from '../tokens/introspection.ts';
import type { Method } from './internals.ts';

interface Entity {
  clientId?: string | undefined;
  accountId?: string | undefined;
}

/**
 * Records the client and the account of a request. It is called for everything that the library and our grants find.
 */
export function noteEntity(entity: Method, { clients }: OidcServices): Method {
  return function noteEntity(key: string, value: Entity | undefined) {
    if (key === 'Client' && value?.clientId) {
      noteClient(value.clientId);
      const document = clients.find(value.clientId);
      // Before the library's own: that one checks the client's origins (CORS) at once.
      if (document) rememberClient(this, document);
    }
    entity.call(this, key, value);
    if (key === 'Account' && value?.accountId) noteAccount(value.accountId);
  };
}

const askedOffline = new WeakSet<object>();

/**
 * The library drops `offline_access` from an authorization request without `prompt=consent`. OpenID Connect Core §11
 * allows other conditions: here a consent that was given before is enough, and first-party clients need none. The
 * library's rule comes directly after this method. So the scope is taken out here, and `putBackOfflineAccess` puts it
 * back where the client may ask for it. Otherwise it stays out: §11 says that it is ignored then.
 */
export function takeOutOfflineAccess(allowed: Method): Method {
  return function takeOutOfflineAccess(type: string) {
    const oidc = currentContext()?.oidc;
    const scopes = scopesOf(oidc?.params);
    if (oidc && scopes.includes(offlineAccess)) {
      askedOffline.add(oidc);
      const others = scopes.filter((scope) => scope !== offlineAccess);
      Object.assign(oidc.params ?? {}, { scope: others.join(' ') || undefined });
    }
    return allowed.call(this, type);
  };
}

/** See `takeOutOfflineAccess`. It is called after the library's checks of the request. */
export function putBackOfflineAccess(ctx: KoaContextWithOIDC): void {
  const { scopes, grants } = clientOf(ctx);
  const mayHave = scopes.includes(offlineAccess) && grants.includes('refresh_token');
  if (!askedOffline.has(ctx.oidc) || !mayHave) return;
  const all = [...scopesOf(ctx.oidc.params), offlineAccess];
  Object.assign(ctx.oidc.params ?? {}, { scope: all.join(' ') });
}

const offlineAccess = 'offline_access';

const scopesOf = (params: { scope?: unknown } | undefined) =>
  typeof params?.scope === 'string' ? params.scope.split(' ').filter(Boolean) : [];

const withoutIdToken = new WeakSet<object>();

/** For this request no id token is signed: its response has no member for one, and signing is expensive. */
export function leaveOutIdToken(ctx: KoaContextWithOIDC): void {
  withoutIdToken.add(ctx);
}

/** Whether `leaveOutIdToken` was called for this request. */
export const leavesOutIdToken = (ctx: KoaContextWithOIDC): boolean => withoutIdToken.has(ctx);

/** The library's grant steps always sign an id token; here it is left out where `leaveOutIdToken` was called. */
export function issueIdToken(issue: Method): Method {
  return function issueIdToken(options: object) {
    return withoutIdToken.has(this.ctx) ? Promise.resolve(undefined) : issue.call(this, options);
  };
}

/** For development: with `anyLoopbackPort`, a URI on this machine fits with any port, as for native apps. */
function allowsAnyLoopbackPort(list: 'redirectUris' | 'postLogoutRedirectUris') {
  return (isAllowed: Method, { clients }: OidcServices): Method =>
    function allowsUri(value: string): boolean {
      if (isAllowed.call(this, value)) return true;
      if (!clients.find(this.clientId)?.anyLoopbackPort) return false;
      const wanted = withoutLoopbackPort(value);
      const listed: string[] = this[list] ?? [];
      return wanted !== undefined && listed.some((uri) => withoutLoopbackPort(uri) === wanted);
    };
}
export const redirectUriAllowed = allowsAnyLoopbackPort('redirectUris');
export const postLogoutRedirectUriAllowed = allowsAnyLoopbackPort('postLogoutRedirectUris');

/**
 * The library finds the model of a client by a hash of all its metadata, for each request. The registry gives the same
 * object as long as the client's document does not change, so here the model is found by that object.
 */
export function findClient(find: Method, { clients }: OidcServices): Method {
  const known = new WeakMap<object, object>();
  return async function findClient(id: string | undefined = '') {
    // A client that registered itself may have changed elsewhere.
    const metadata = clients.mayBeThirdParty(id) ? undefined : clients.metadata(id);
    const found = metadata && known.get(metadata);
    if (found) return found;
    const client = await find.call(this, id);
    // The document may have changed meanwhile.
    if (client && metadata && metadata === clients.metadata(id)) known.set(metadata, client);
    return client;
  };
}

/** Compares by digest, in constant time; wrong secrets are limited by client and address. */
export function compareClientSecret(_original: Method, { rateLimits, clients }: OidcServices): Method {
  return function compareClientSecret(presented: string) {
    const { clientId } = this;
    const request = currentContext()?.req;
    const checked = request && checkedSecret(request);
    return orUnavailable(
      () => checked ?? rateLimits.clientSecret(clientId, () => clients.secretMatches(clientId, presented)),
    );
  };
}

/** RFC 9449 §11.1: the sender's clock may be ahead by this much. A proof is then valid for the same time longer. */
const clockAheadSeconds = 300;

const checksAssertion = new WeakSet<object>();

/** The next value that `isUniqueProof` gets in this request is a client assertion. All others are DPoP proofs. */
export function expectAssertion(ctx: KoaContextWithOIDC): void {
  checksAssertion.add(ctx);
}

/**
 * Stores a DPoP proof or client assertion with one conditional write. Only one of several parallel requests succeeds.
 * A repeated proof gets the error that RFC 9449 §5 and §7.1 define. The library reports each such proof with the error
 * of the endpoint, for example `invalid_grant`, which client libraries take for the end of the sign-in.
 * @throws InvalidDpopProof when the proof was used before
 */
export function isUniqueProof(_original: Method, services: OidcServices): Method {
  const { store, keys, clock } = services;
  const putOnce = async (issuer: string, jti: string, exp: number) => {
    // Elsewhere a code, a token or a secret is checked before the proof is stored.
    if (currentContext()?.oidc.route === 'pushed_authorization_request' && isPublicClient())
      await admitAnonymousRecord(services, 'pushed');
    const [key, ...older] = keys.lookupHashes('ReplayDetection', `${issuer} ${jti}`);
    for (const one of older) {
      if (await orUnavailable(() => store.find('ReplayDetection', one))) return false;
    }
    const expiresAt = Math.max(exp * 1000, clock.now()) + clockAheadSeconds * 1000;
    return orUnavailable(() => store.putIfAbsent('ReplayDetection', key, { payload: '', expiresAt }));
  };
  return async (issuer: string, jti: string, exp: number) => {
    const ctx = currentContext();
    const isAssertion = ctx !== undefined && checksAssertion.delete(ctx);
    const isFirst = await putOnce(issuer, jti, exp);
    if (isFirst || isAssertion) return isFirst;
    throw new errors.InvalidDpopProof('this DPoP proof was used before: sign a new one for each request');
  };
}

/**
 * RFC 6749 §5.2: a client that may not use a grant gets `unauthorized_client`, at the token endpoint and (RFC 8628
 * §3.2) the device authorization endpoint. The library says `invalid_request`.
 * @throws UnauthorizedClient when the request is for that grant; the error of `requireProof`
 */
export function grantTypeAllowed(isAllowed: Method): Method {
  return function grantTypeAllowed(grantType: string) {
    const { route, params } = currentContext()?.oidc ?? {};
    if (isAllowed.call(this, grantType)) {
      const ctx = currentContext();
      if (ctx?.oidc.route === 'token' && grantType === params?.grant_type) requireProof(ctx);
      return true;
    }
    const requested = route === 'device_authorization' ? deviceCodeGrant : params?.grant_type;
    if (grantType !== requested) return false;
    throw new errors.UnauthorizedClient(`the document of this client doesn't list the grant ${grantType}`);
  };
}

/**
 * RFC 9449 §5.2: a client whose tokens are bound must send a proof with each token request. The library checks this
 * too, but late and with `invalid_grant`, which client libraries take for the end of the sign-in.
 * @throws InvalidDpopProof when there is none
 */
export function requireProof(ctx: KoaContextWithOIDC): void {
  if (clientOf(ctx).dpopBoundAccessTokens && ctx.get('DPoP') === '')
    throw new errors.InvalidDpopProof(
      'this client must send a DPoP proof with each token request: its document says dpopBoundAccessTokens: true',
    );
}

const calledUrls = new WeakMap<object, string>();

/** Remembers the URL that was called, for a request that enters a grant by another endpoint than the token endpoint. */
export function rememberCalledUrl(oidc: object, url: string): void {
  calledUrls.set(oidc, url);
}

/** RFC 9449 §4.3 (9): the `htu` of a DPoP proof is the URL that was called. The library compares it with this one. */
export function urlFor(original: Method): Method {
  return function urlFor(name: string, options?: object) {
    const called = name === this.route ? calledUrls.get(this) : undefined;
    return called ?? original.call(this, name, options);
  };
}
