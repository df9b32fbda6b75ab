import { currentRequestScope, type RequestScope } from '../lib/request-scope.ts';
import type { Denylist } from '../ports/denylist.ts';
import type { RevocationKey } from '../ports/revocation-keys.ts';
import type { CachedDenylist } from './cached-denylist.ts';

export interface RequestDenylist extends Denylist, Pick<CachedDenylist, 'cacheEntries'> {
  /**
   * Asks one question for all keys that the request under way will need. If none of them is listed, later questions of
   * the same request about these keys are answered without the store. If one is listed, or outside of a request,
   * nothing is remembered and later questions reach the store.
   *
   * @throws StoreUnavailable
   */
  preload(keys: readonly RevocationKey[]): Promise<void>;
}

/**
 * A denylist that is asked only once per request, if the caller knows the keys early. A request sees the revocations as
 * they were when it asked. This is safe because a request is short, and because the tokens that it issues have the same
 * keys and are checked again at their next use.
 */
export function createRequestDenylist(
  denylist: Denylist & Pick<CachedDenylist, 'cacheEntries'>,
): RequestDenylist {
  const unlisted = new WeakMap<RequestScope, Set<RevocationKey>>();
  const knownUnlisted = () => {
    const scope = currentRequestScope();
    return scope && unlisted.get(scope);
  };
  /** A request must see its own revocations. */
  const forget = (keys: readonly RevocationKey[]) => {
    for (const key of keys) knownUnlisted()?.delete(key);
  };
  return {
    preload: async (keys) => {
      const scope = currentRequestScope();
      if (scope === undefined || keys.length === 0) return;
      if (await denylist.anyRevoked([...keys])) return;
      const known = unlisted.get(scope) ?? new Set();
      for (const key of keys) known.add(key);
      unlisted.set(scope, known);
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
