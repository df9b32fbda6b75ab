import type { KoaContextWithOIDC } from 'oidc-provider';
import { noteAccount, noteClient } from '../../lib/request-scope.ts';
import { orUnavailable, rememberClient } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
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

const withoutIdToken = new WeakSet<object>();

/** For this request no id token is signed: its response has no member for one, and signing is expensive. */
export function leaveOutIdToken(ctx: KoaContextWithOIDC): void {
  withoutIdToken.add(ctx);
}

/** The library's grant steps always sign an id token; here it is left out where `leaveOutIdToken` was called. */
export function issueIdToken(issue: Method): Method {
  return function issueIdToken(options: object) {
    return withoutIdToken.has(this.ctx) ? Promise.resolve(undefined) : issue.call(this, options);
  };
}

/** Compares by digest, in constant time; wrong secrets are limited by client and address. */
export function compareClientSecret(_original: Method, { rateLimits, clients }: OidcServices): Method {
  return function compareClientSecret(presented: string) {
    const { clientId } = this;
    return orUnavailable(() =>
      rateLimits.clientSecret(clientId, () => clients.secretMatches(clientId, presented)),
    );
  };
}

/** RFC 9449 §11.1: the sender's clock may be ahead by this much. A proof is then valid for the same time longer. */
const clockAheadSeconds = 300;

/**
 * Stores a DPoP proof or client assertion with one conditional write. Only one of several parallel requests succeeds.
 */
export function isUniqueProof(_original: Method, { store, keys, clock }: OidcServices): Method {
  return async (issuer: string, jti: string, exp: number) => {
    const [key, ...older] = keys.lookupHashes('ReplayDetection', `${issuer} ${jti}`);
    for (const one of older) {
      if (await orUnavailable(() => store.find('ReplayDetection', one))) return false;
    }
    const expiresAt = Math.max(exp * 1000, clock.now()) + clockAheadSeconds * 1000;
    return orUnavailable(() => store.putIfAbsent('ReplayDetection', key, { payload: '', expiresAt }));
  };
}
