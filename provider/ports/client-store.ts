/** What a client belongs to. Only this owner may change or delete it. */
export interface ClientOwner {
  /** The way in which the client was written. */
  source: 'commands' | 'kubernetes' | 'registration';
  /** A label of `clients apply`, the namespace and name of a resource, or empty for self-registration. */
  name: string;
}

export const isSameOwner = (one: ClientOwner, other: ClientOwner): boolean =>
  one.source === other.source && one.name === other.name;

/** The way in which a client is written, and the name of the owner, for people. */
export function describeOwner({ source, name }: ClientOwner): string {
  if (source === 'commands') return `clients apply (owner ${name})`;
  return source === 'kubernetes' ? `OIDCClient ${name}` : 'registration';
}

/** A secret that Gatehouse generated or that a Kubernetes Secret holds. Only its digest is stored. */
export interface StoredClientSecret {
  /** SHA-256 of the secret, base64url. */
  sha256: string;
  /** The time at which the secret stops working, as an ISO 8601 date with zone. It works without end if this is absent. */
  notAfter?: string;
}

export interface StoredClient {
  id: string;
  owner: ClientOwner;
  /** The client document as it was written, not checked again. */
  document: Record<string, unknown>;
  /** At most two. They count beside the secrets that the document names. */
  secrets: readonly StoredClientSecret[];
  /** Another value after each change of this client, also when it was deleted and created again. */
  revision: string;
  /** Milliseconds since the epoch, by the clock of the store. */
  updatedAt: number;
}

/** What a write did. `taken` names the owner that the client already has. */
export type ClientWrite =
  | { outcome: 'created' | 'updated' | 'unchanged'; revision: string }
  | { outcome: 'taken'; by: ClientOwner }
  | { outcome: 'changed' };

/**
 * Clients that commands, the operator and self-registration write.
 *
 * Concurrency, on every implementation, across processes: a client has one owner at a time. Of two owners that write
 * the same id at once, one creates the client and the other gets `taken`. A write that changes nothing writes no row
 * and signals nothing. Writes belong to the transaction in which they are made: all of them are visible to others at
 * once, or none.
 */
export interface ClientStore {
  all(): Promise<StoredClient[]>;
  find(id: string): Promise<StoredClient | undefined>;
  /** A text that differs after every committed change of any client. It costs much less than `all`. */
  version(): Promise<string>;
}

/** The writes of a transaction (ports/unit-of-work.ts). After the commit, listeners of `ClientChanges` are called. */
export interface ClientWriter {
  find(id: string): Promise<StoredClient | undefined>;
  /**
   * Creates or replaces a client.
   *
   * @param expected the revision that the caller read. The outcome is `changed` when the client has another one, or none.
   *   Without it, the write does not depend on what was read.
   */
  put(
    client: Pick<StoredClient, 'id' | 'owner' | 'document' | 'secrets'>,
    expected?: string,
  ): Promise<ClientWrite>;
  /** Deletes a client of this owner. Gives `unchanged` when there is none, `taken` when it has another owner. */
  delete(
    id: string,
    owner: ClientOwner,
  ): Promise<{ outcome: 'deleted' | 'unchanged' } | { outcome: 'taken'; by: ClientOwner }>;
}
