/** What is kept for a bounded time while people sign in. Refresh tokens and consents have stores of their own. */
export type ArtifactKind =
  | 'Session'
  | 'Interaction'
  | 'AuthorizationCode'
  | 'PushedAuthorizationRequest'
  | 'DeviceCode'
  | 'BackchannelAuthenticationRequest'
  | 'ReplayDetection';

export interface Artifact {
  /** Sealed by the caller: the store can't read it. */
  payload: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** A second name (session uid, user code), hashed by the caller. At most one live artifact of a kind is found by it: the one put last. */
  indexKey?: string | undefined;
}

export interface StoredArtifact extends Artifact {
  key: string;
  /** When it was consumed, in milliseconds since the epoch. */
  consumedAt?: number | undefined;
}

export type ConsumeOutcome =
  | { outcome: 'won' }
  /** Somebody else was first, at this time. */
  | { outcome: 'lost'; consumedAt: number }
  | { outcome: 'missing' };

/**
 * Artifacts by kind and key. Keys and index keys are keyed hashes made by the caller: nothing that could be
 * presented reaches the store. An artifact past its `expiresAt` is never returned, swept or not.
 *
 * Concurrency, on every implementation, across processes:
 * - `consume` is one conditional write. Of any number of parallel calls for one key exactly one gets `won`.
 * - `putIfAbsent` is one conditional write. Of any number of parallel calls for one key exactly one gets true.
 * - `put` replaces payload, index key and expiry and never makes a consumed artifact fresh again.
 * - once `endIndex` has resolved, no artifact of that kind with that index key is found, however it is asked
 *   for, whether it was put before or is put later, until the time given.
 */
export interface OidcStore {
  put(kind: ArtifactKind, key: string, artifact: Artifact): Promise<void>;
  /** True when the key was free (or its artifact expired). */
  putIfAbsent(kind: ArtifactKind, key: string, artifact: Artifact): Promise<boolean>;
  find(kind: ArtifactKind, key: string): Promise<StoredArtifact | undefined>;
  findByIndex(kind: ArtifactKind, indexKey: string): Promise<StoredArtifact | undefined>;
  /** Marks it consumed at `at`, and keeps it until `keepUntil` when that is later than its expiry, so that a repeat is recognised. */
  consume(kind: ArtifactKind, key: string, at: number, keepUntil: number): Promise<ConsumeOutcome>;
  destroy(kind: ArtifactKind, key: string): Promise<void>;
  endIndex(kind: ArtifactKind, indexKey: string, until: number): Promise<void>;
}
