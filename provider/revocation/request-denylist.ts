import { currentRequestScope, type RequestScope } from '../lib/request-scope.ts';
import type { Denylist } from '../ports/denylist.ts';
import type { RevocationKey } from '../ports/revocation-keys.ts';
import type { CachedDenylist } from './cached-denylist.ts';

export interface RequestDenylist extends Denylist, Pick<CachedDenylist, 'cacheEntries'> {
  /**
   * Asks one question for all keys that the request under way will need. If none of them is listed, later questions of
   * the same request about these keys are answered without the store. If one is listed, or outside of a request, nothing
   * is remembered and later questions reach the store.
   *
   * @throws StoreUnavailable
   */
  preload(keys: readonly RevocationKey[]): Promise<void>;
}

/**
 * The denylist, asked once per request where the caller knows early what the request is about. A request sees revocations
 * as they were when it asked; it lives for a moment, and what it issues carries the same keys and is checked again at its
 * next use.
 */
export function createRequestDenylist(
  denylist: Denylist & Pick<CachedDenylist, 'cacheEntries'>,
): RequestDenylist {
  const unlisted = new WeakMap<RequestScope, Set<RevocationKey>>();
  const knownUnlisted = () => {
    const scope = currentRequestScope();
    return scope && unlisted.get(scope);
  };
  /** What this request itself revoked, it must see as revoked. */
  const forget = (keys: readonly RevocationKey[]) => {
    for (const key of keys) knownUnlisted()?.delete(key);
  };
  return {
    preload: async (keys) => {
      const scope = currentRequestScope();
      if (scope === undefined || keys.length === 0) return;
      if (await denylist.anyRevoked([...keys])) return;
      unlisted.set(scope, new Set([...(unlisted.get(scope) ?? []), ...keys]));
    },
    anyRevoked: async (keys) => {
      const known = knownUnlisted();
      if (known && keys.every((key) => known.has(key))) return false;
      return denylist.anyRevoked(keys);
    },
    revoke: async (keys, expiresAt) => {
      forget(keys);
      await denylist.revoke(keys, expiresAt);
    },
    cacheEntries: async (keys, expiresAt) => {
      forget(keys);
      await denylist.cacheEntries(keys, expiresAt);
    },
  };
}
