/** What the protocol needs to know of a client beyond its RFC 7591 metadata. */
export interface ClientFacts {
  id: string;
  name: string;
  firstParty: boolean;
  /** Everything it may ask for: OpenID Connect scopes and APIs' scopes. */
  scopes: readonly string[];
  /** The API its tokens are for when a request names none. */
  defaultResource?: string | undefined;
  /** Audiences of the APIs it answers for, at introspection (RFC 7662 §4). */
  introspects: readonly string[];
  pkceRequired: boolean;
  /** How long a repeat of a spent code or refresh token is forgiven, where the client has its own. */
  graceSeconds?: number | undefined;
  /** Origins a browser may call from (CORS). */
  origins: readonly string[];
}

/** The clients as the registry has them now. */
export interface ClientDirectory {
  find(clientId: string): ClientFacts | undefined;
  /** Metadata by RFC 7591's names. */
  metadata(clientId: string): Record<string, unknown> | undefined;
  /** Constant-time; true for any of the client's live secrets. Throws `too_many_requests` when too many were wrong. */
  secretMatches(clientId: string, presented: string): Promise<boolean>;
}
