/**
 * The bound for what a request stores before anybody has proved anything: a person by a sign-in, a client by its secret
 * or key. Without it, anonymous requests could fill the store.
 */
export const anonymousRecord = {
  /** The longest payload. With its key and the overhead of the store, a record has less than 4 KB. */
  mostPayloadBytes: 3500,
  longestSeconds: 600,
  /** The longest parameters of a request, as `parametersLength` in `http/protocol.ts` counts them. */
  mostParameterBytes: 2048,
  /** The same for a request of a device, which has an index entry and the name of the device in addition. */
  mostDeviceParameterBytes: 1024,
} as const;

/** Records that are kept for a bounded time during a sign-in. Refresh tokens and consents have their own stores. */
export type ArtifactKind =
  | 'Session'
  | 'Interaction'
  | 'AuthorizationCode'
  | 'PushedAuthorizationRequest'
  | 'DeviceCode'
  | 'BackchannelAuthenticationRequest'
  | 'ReplayDetection'
  /** The metadata document of a client, by its URL. */
  | 'ClientIdMetadata';

export interface Artifact {
  /** Encrypted by the caller: the store can't read it. */
  payload: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /**
   * A second key (session uid, user code), hashed by the caller. It finds at most one artifact of a kind: the artifact
   * that was put last.
   */
  indexKey?: string | undefined;
}

export interface StoredArtifact extends Artifact {
  key: string;
  /** The time when it was consumed, in milliseconds since the epoch. */
  consumedAt?: number | undefined;
}

export type ConsumeOutcome =
  | { outcome: 'won' }
  /** Another call consumed it first, at this time. */
  | { outcome: 'lost'; consumedAt: number }
  | { outcome: 'missing' };

/**
 * Artifacts by kind and key. Keys and index keys are keyed hashes that the caller makes. So the store holds no value
 * that can be used as a credential. An artifact is never returned after its `expiresAt`, even if it is still stored. A
 * consumed artifact is returned until the `keepUntil` of `consume`, if that is later. All times are in milliseconds
 * since the epoch.
 *
 * Concurrency, on every implementation, across processes:
 * - `consume` is one conditional write. Of any number of parallel calls for one key, exactly one gets `won`.
 * - `putIfAbsent` is one conditional write. Of any number of parallel calls for one key, exactly one gets true.
 * - `put` replaces payload, index key and expiry. It never makes a consumed artifact unconsumed.
 * - once `endIndex` has resolved, no artifact of that kind with that index key is found until the given time. This
 *   holds for both keys, and for artifacts that were put before or are put later.
 */
export interface OidcStore {
  put(kind: ArtifactKind, key: string, artifact: Artifact): Promise<void>;
  /** Gives true when the key was free or its artifact had expired. */
  putIfAbsent(kind: ArtifactKind, key: string, artifact: Artifact): Promise<boolean>;
  find(kind: ArtifactKind, key: string): Promise<StoredArtifact | undefined>;
  findByIndex(kind: ArtifactKind, indexKey: string): Promise<StoredArtifact | undefined>;
  /**
   * Marks the artifact as consumed at `at`. If `keepUntil` is later than its expiry, the artifact is kept until then,
   * so that a replay is recognised.
   */
  consume(kind: ArtifactKind, key: string, at: number, keepUntil: number): Promise<ConsumeOutcome>;
  destroy(kind: ArtifactKind, key: string): Promise<void>;
  endIndex(kind: ArtifactKind, indexKey: string, until: number): Promise<void>;
}
