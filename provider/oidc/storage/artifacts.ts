import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Clock } from '../../lib/clock.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { ArtifactKind, OidcStore, StoredArtifact } from '../../ports/oidc-store.ts';

export interface ArtifactOptions {
  store: OidcStore;
  keys: ServerKeys;
  clock: Clock;
}

/** A stored artifact, opened. */
export interface FoundArtifact {
  payload: AdapterPayload;
  /** When it was spent, in milliseconds since the epoch; undefined while it is unspent. */
  spentAt?: number | undefined;
}

export type SpendOutcome =
  | { outcome: 'won' }
  /** Another request spent it first. */
  | { outcome: 'lost'; payload: AdapterPayload; spentAt: number }
  | { outcome: 'missing' };

/**
 * The artifacts of one kind. The store gets ids only as keyed hashes, and payloads only encrypted. So a
 * copy of the store cannot be used to sign in, and a stored hash is never accepted as an id (DESIGN §7).
 */
export interface Artifacts {
  /** @param seconds how long it lives */
  put(id: string, payload: AdapterPayload, seconds: number): Promise<void>;
  find(id: string): Promise<FoundArtifact | undefined>;
  /** Finds by the second name: the uid of a session, or a user code. */
  findByIndex(value: string): Promise<FoundArtifact | undefined>;
  /**
   * Spends the artifact with one conditional write of the store. Only one of several parallel calls succeeds.
   * @param keepSeconds for how long it is remembered as spent
   */
  spend(id: string, keepSeconds: number): Promise<SpendOutcome>;
  destroy(id: string): Promise<void>;
}

export function createArtifacts(kind: ArtifactKind, options: ArtifactOptions): Artifacts {
  const { store, keys, clock } = options;
  const idHashes = (id: string) => keys.lookupHashes(kind, id);
  const indexHashes = (value: string) => keys.lookupHashes(`${kind} index`, value);

  const open = ({ key, payload, consumedAt }: StoredArtifact): FoundArtifact | undefined => {
    const text = keys.open(`${kind} ${key}`, payload);
    return text === undefined ? undefined : { payload: JSON.parse(text), spentAt: consumedAt };
  };

  return {
    put: async (id, payload, seconds) => {
      const [key] = idHashes(id);
      const index = indexOf(kind, payload);
      await store.put(kind, key, {
        payload: keys.seal(`${kind} ${key}`, JSON.stringify(payload)),
        expiresAt: clock.now() + seconds * 1000,
        indexKey: index === undefined ? undefined : indexHashes(index)[0],
      });
    },
    find: async (id) => {
      for (const hash of idHashes(id)) {
        const stored = await store.find(kind, hash);
        if (stored) return open(stored);
      }
      return undefined;
    },
    findByIndex: async (value) => {
      for (const hash of indexHashes(value)) {
        const stored = await store.findByIndex(kind, hash);
        if (stored) return open(stored);
      }
      return undefined;
    },
    spend: async (id, keepSeconds) => {
      const now = clock.now();
      for (const key of idHashes(id)) {
        const result = await store.consume(kind, key, now, now + keepSeconds * 1000);
        if (result.outcome === 'won') return result;
        if (result.outcome === 'missing') continue;
        const stored = await store.find(kind, key);
        const payload = (stored && open(stored)?.payload) ?? {};
        return { outcome: 'lost', payload, spentAt: result.consumedAt };
      }
      return { outcome: 'missing' };
    },
    destroy: async (id) => {
      for (const key of idHashes(id)) await store.destroy(kind, key);
    },
  };
}

/** The second name. An interaction, or a session without an account, is never looked up by its uid. */
function indexOf(kind: ArtifactKind, { uid, userCode, accountId }: AdapterPayload): string | undefined {
  if (kind === 'Interaction' || (kind === 'Session' && accountId === undefined)) return undefined;
  return uid ?? userCode;
}

/** The library's adapter for artifacts that nothing spends, such as sessions and interactions. */
export function artifactAdapter(artifacts: Artifacts): Adapter {
  return {
    upsert: (id, payload, expiresIn) => artifacts.put(id, payload, expiresIn ?? 0),
    find: async (id) => (await artifacts.find(id))?.payload,
    findByUid: async (uid) => (await artifacts.findByIndex(uid))?.payload,
    findByUserCode: async (userCode) => (await artifacts.findByIndex(userCode))?.payload,
    consume: async () => {},
    destroy: (id) => artifacts.destroy(id),
    // Families are ended one by one (DESIGN §6.10); a code that was not redeemed yet ends with its session.
    revokeByGrantId: async () => {},
  };
}
