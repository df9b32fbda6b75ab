/** A client that registered itself (RFC 7591). All times are in milliseconds since the epoch. */
export interface RegisteredClient {
  id: string;
  /** The metadata as the client sent them, by the names of RFC 7591 §2, without secrets. */
  metadata: Record<string, unknown>;
  /** SHA-256 of its secret, base64url; undefined for a client without one. */
  secretSha256?: string | undefined;
  /** SHA-256 of the token with which it manages its registration (RFC 7592), base64url. */
  accessTokenSha256: string;
  createdAt: number;
  /** The end of its registration. Each use moves it. */
  expiresAt: number;
}

/**
 * Clients that registered themselves, and the initial access tokens (RFC 7591 §3) that let them. They are not in
 * `ClientStore`: there can be many, so a process reads one when a request names it, and never all.
 *
 * A client or token is never returned at or after its `expiresAt`, even if it is still stored. In a transaction
 * (ports/unit-of-work.ts) the writes belong to it.
 *
 * Concurrency, on every implementation, across processes: of parallel calls of `remove` for one client, one gets true.
 * Parallel calls of `add` may together exceed `most` by their number.
 */
export interface RegisteredClients {
  find(id: string, now: number): Promise<RegisteredClient | undefined>;
  /** The newest first. */
  list(now: number): Promise<RegisteredClient[]>;
  /** Gives false, and stores nothing, when `most` clients are stored already. */
  add(client: RegisteredClient, limit: { most: number; now: number }): Promise<boolean>;
  /** Replaces the metadata and the secret. Gives false when there is no such client. */
  update(client: Pick<RegisteredClient, 'id' | 'metadata' | 'secretSha256'>): Promise<boolean>;
  /** Moves the end of the registration to `expiresAt`, if that is later. */
  keep(id: string, expiresAt: number): Promise<void>;
  /** Gives whether there was such a client. */
  remove(id: string): Promise<boolean>;
  /** @param sha256 of the initial access token, base64url */
  addToken(sha256: string, expiresAt: number): Promise<void>;
  hasToken(sha256: string, now: number): Promise<boolean>;
}
