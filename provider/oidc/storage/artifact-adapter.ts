import type { Adapter, AdapterPayload } from 'oidc-provider';
import { type Clock, epochSeconds } from '../../lib/clock.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { ArtifactKind, OidcStore, StoredArtifact } from '../../ports/oidc-store.ts';

/** Called for whoever lost the race for an artifact, or repeats it; must throw what the caller is to see. */
export type OnRepeat = (payload: AdapterPayload, consumedAt: number) => Promise<never>;

export interface ArtifactAdapterDeps {
  store: OidcStore;
  keys: ServerKeys;
  clock: Clock;
  /** How long a spent artifact is remembered, so that a repeat is recognised. */
  rememberSpentSeconds: number;
  /** How long an artifact is still found after it expired, so that it can be told from one that never was. */
  keepExpiredSeconds?: number | undefined;
  /** Whether who finds a spent artifact is told that it is. Else only `consume` says so. */
  showSpent?: boolean | undefined;
  onRepeat?: OnRepeat | undefined;
}

/**
 * The library's adapter for what people sign in with. Ids reach the store as keyed hashes and payloads sealed, so
 * what is stored signs nobody in, and a stored hash is never accepted as an id.
 *
 * `consume` is the store's one conditional write, and decides alone who was first: of a code the library would read
 * `consumed` earlier and revoke a whole grant (DESIGN §6.1, §6.10), so a found payload doesn't show it.
 */
export function createArtifactAdapter(kind: ArtifactKind, deps: ArtifactAdapterDeps): Adapter {
  const { store, keys, clock } = deps;
  const idHashes = (id: string) => keys.lookupHashes(kind, id);
  const indexHashes = (value: string) => keys.lookupHashes(`${kind} index`, value);

  const open = (stored: StoredArtifact): AdapterPayload | undefined => {
    const text = keys.open(`${kind} ${stored.key}`, stored.payload);
    if (text === undefined) return undefined;
    const payload: AdapterPayload = JSON.parse(text);
    if (stored.consumedAt === undefined) return payload;
    if (deps.showSpent) return { ...payload, consumed: Math.floor(stored.consumedAt / 1000) };
    // A spent code is shown as not expired for as long as it is kept, so that its repeat reaches `consume`,
    // which says what follows.
    return { ...payload, exp: epochSeconds(clock) + 60 };
  };

  const findStored = async (id: string): Promise<StoredArtifact | undefined> => {
    for (const hash of idHashes(id)) {
      const stored = await store.find(kind, hash);
      if (stored) return stored;
    }
    return undefined;
  };

  const findIndexed = async (value: string): Promise<AdapterPayload | undefined> => {
    for (const hash of indexHashes(value)) {
      const stored = await store.findByIndex(kind, hash);
      if (stored) return open(stored);
    }
    return undefined;
  };

  return {
    upsert: async (id, payload, expiresIn) => {
      const [key] = idHashes(id);
      const index = payload.uid ?? payload.userCode;
      await store.put(kind, key, {
        payload: keys.seal(`${kind} ${key}`, JSON.stringify(payload)),
        expiresAt: clock.now() + ((expiresIn ?? 0) + (deps.keepExpiredSeconds ?? 0)) * 1000,
        indexKey: index && kind !== 'Interaction' ? indexHashes(index)[0] : undefined,
      });
    },
    find: async (id) => {
      const stored = await findStored(id);
      return stored && open(stored);
    },
    findByUid: findIndexed,
    findByUserCode: findIndexed,
    consume: async (id) => {
      const now = clock.now();
      for (const key of idHashes(id)) {
        const result = await store.consume(kind, key, now, now + deps.rememberSpentSeconds * 1000);
        if (result.outcome === 'won') return;
        if (result.outcome === 'missing') continue;
        const stored = await store.find(kind, key);
        await deps.onRepeat?.((stored && open(stored)) ?? {}, result.consumedAt);
        return;
      }
      await deps.onRepeat?.({}, now);
    },
    destroy: async (id) => {
      for (const key of idHashes(id)) await store.destroy(kind, key);
    },
    revokeByGrantId: async () => {
      // Families are ended one by one (DESIGN §6.10); codes not yet redeemed die with their session.
    },
  };
}
