import { createPublicKey, type KeyObject } from 'node:crypto';
import { type JWK, jwtVerify } from 'jose';
import type { ClientRegistry } from '../../clients/client-registry.ts';
import type { Clock } from '../../lib/clock.ts';
import { type RevocationSubjects, revocationKeys } from '../../ports/revocation-keys.ts';
import type { RecentReads } from '../../revocation/recent-reads.ts';
import type { RequestDenylist } from '../../revocation/request-denylist.ts';
import { currentContext } from '../current-request.ts';
import { type AccessTokenClaims, accessTokenClaimsSchema } from './access-token-claims.ts';

export interface AccessTokenVerifier {
  /**
   * @returns the claims of an access token that was signed by us, is not expired and not revoked, and whose account is
   *   active; undefined for every other text, whatever is wrong with it. Within one protocol request a token is
   *   verified once.
   * @throws StoreUnavailable when it cannot be known whether the token was revoked
   */
  verify(token: string): Promise<AccessTokenClaims | undefined>;
  /**
   * The part of `verify` that needs no store. It returns the claims of our token if it is not expired, even if revoked.
   */
  read(token: string): Promise<AccessTokenClaims | undefined>;
  /**
   * The other part of `verify`.
   * @param claims given by `read`
   * @throws StoreUnavailable when it cannot be known
   */
  isActive(claims: AccessTokenClaims): Promise<boolean>;
}

export interface AccessTokenVerifierOptions {
  issuer: string;
  clock: Clock;
  /** Every key that may have signed a token that is not expired yet. The same array as long as the keys are the same. */
  publicKeys(): readonly JWK[];
  /** A token of a client that was removed is not ours any more. */
  clients: Pick<ClientRegistry, 'find' | 'mayBeThirdParty'>;
  denylist: Pick<RequestDenylist, 'preload' | 'anyRevoked'>;
  reads: Pick<RecentReads, 'account' | 'notices'>;
}

export function createAccessTokenVerifier(options: AccessTokenVerifierOptions): AccessTokenVerifier {
  const { issuer, clock, publicKeys, clients, denylist, reads } = options;
  const imported = new Map<string, KeyObject>();
  const kept = createKeptTokens(mostKeptCharacters);
  let keys = publicKeys();
  const keyFor = (kid: string | undefined): KeyObject => {
    const jwk = keys.find((key) => key.kid === kid);
    if (!jwk?.kid) throw new Error('no such key');
    const known = imported.get(jwk.kid) ?? createPublicKey({ key: { ...jwk }, format: 'jwk' });
    imported.set(jwk.kid, known);
    return known;
  };
  /** After a change of the published keys, no earlier verification counts. */
  const followKeys = () => {
    const published = publicKeys();
    if (published === keys) return;
    keys = published;
    imported.clear();
    kept.clear();
  };

  const claimsOf = async (token: string): Promise<AccessTokenClaims | undefined> => {
    followKeys();
    const now = clock.now();
    const known = kept.find(token, now);
    if (known) return known;
    const verifiedWith = keys;
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => keyFor(kid), {
        issuer,
        typ: 'at+jwt',
        algorithms: ['RS256'],
        currentDate: new Date(now),
      });
      const claims = frozen(accessTokenClaimsSchema.parse(payload));
      // The keys may have changed meanwhile.
      if (verifiedWith === keys) kept.keep(token, claims, now);
      return claims;
    } catch {
      return undefined;
    }
  };

  const read = async (token: string): Promise<AccessTokenClaims | undefined> => {
    const claims = await claimsOf(token);
    const client = claims && clients.find(claims.client_id);
    if (!claims || !(client || clients.mayBeThirdParty(claims.client_id))) return undefined;
    const isConsented = client?.firstParty || claims.consent !== undefined || isMachineToken(claims);
    return isConsented ? claims : undefined;
  };

  const isActive = async (claims: AccessTokenClaims): Promise<boolean> => {
    const { sub, client_id: clientId } = claims;
    const keys = revocationKeys(revocationSubjects(claims));
    if (isMachineToken(claims)) return !(await denylist.anyRevoked(keys));
    await denylist.preload([...keys, ...reads.notices(sub, clientId)]);
    if (await denylist.anyRevoked(keys)) return false;
    const account = await reads.account(sub);
    return account?.state === 'active' && account.tokenVersion === claims.generation;
  };

  const verifyNow = async (token: string) => {
    const claims = await read(token);
    return claims && (await isActive(claims)) ? claims : undefined;
  };

  // Introspection looks for a token of every kind.
  const verified = new WeakMap<object, Map<string, ReturnType<typeof verifyNow>>>();
  return {
    verify: (token) => {
      const request = currentContext();
      if (request === undefined) return verifyNow(token);
      const answers = verified.get(request) ?? new Map<string, ReturnType<typeof verifyNow>>();
      verified.set(request, answers);
      const answer = answers.get(token) ?? verifyNow(token);
      answers.set(token, answer);
      return answer;
    },
    read,
    isActive,
  };
}

/** The length of all kept tokens together: about 9,000 tokens, which take about 25 MB with their claims. */
const mostKeptCharacters = 8 * 1024 * 1024;

/** The claims of verified tokens, by the whole token. */
export interface KeptTokens {
  /** @param now the present time, in milliseconds since the epoch */
  find(token: string, now: number): AccessTokenClaims | undefined;
  /** @param now when the token was verified, in milliseconds since the epoch */
  keep(token: string, claims: AccessTokenClaims, now: number): void;
  clear(): void;
  /** The length of all kept tokens together. Never more than the bound. */
  characters(): number;
}

/**
 * A token whose signature was verified is not verified again, because neither changes. The guarantees:
 * - Only the part of the verification that needs no store is kept: signature, type, issuer and form. Denylist (G3),
 *   client and account are asked at every use, and the expiry is compared at every use.
 * - The whole token is the key, with its signature. A token that differs in one character is another token.
 * - Nothing is kept when the published keys change (G5).
 * - Only tokens that we signed are kept, and they have a bound together; the token that was kept first is removed
 *   first. So callers cannot fill the memory.
 */
export function createKeptTokens(mostCharacters: number): KeptTokens {
  const kept = new Map<string, { claims: AccessTokenClaims; since: number }>();
  let characters = 0;
  const remove = (token: string) => {
    if (kept.delete(token)) characters -= token.length;
  };
  return {
    find: (token, now) => {
      const found = kept.get(token);
      // A clock that was set back may be before the `nbf` of the token.
      if (found && now < found.claims.exp * 1000 && now >= found.since) return found.claims;
      if (found) remove(token);
      return undefined;
    },
    keep: (token, claims, since) => {
      remove(token);
      kept.set(token, { claims, since });
      characters += token.length;
      for (const first of kept.keys()) {
        if (characters <= mostCharacters) return;
        remove(first);
      }
    },
    clear: () => {
      kept.clear();
      characters = 0;
    },
    characters: () => characters,
  };
}

/** Several requests get the same claims, so none of them may change them. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part);
  return Object.freeze(value);
}

/** The claims that name what could have been revoked. */
export function revocationSubjects(claims: AccessTokenClaims): RevocationSubjects {
  const { jti, client_id: clientId, client_generation: clientTokenVersion, family, consent, sid } = claims;
  return { jti, clientId, clientTokenVersion, family, consent, sid };
}

/** A client's own token (client credentials): RFC 9068 §2.2 has the client as its subject. */
export function isMachineToken(claims: { sub: string; client_id: string }): boolean {
  return claims.sub === claims.client_id;
}
