/** Something a client may ask for at an API. */
export interface ApiScope {
  name: string;
  /** For the consent page: completes "… wants to". */
  description: string;
  /** What a person must be permitted for the scope to mean anything. */
  permission: string;
}

/** A resource server (RFC 8707). */
export interface Api {
  audience: string;
  name: string;
  scopes: readonly ApiScope[];
}

export interface AccessModel {
  apis: readonly Api[];
  /** The permissions of each role. Without a prototype, so any text may be looked up. */
  roles: Readonly<Record<string, readonly string[]>>;
}

/** What of the configuration an access model must agree with. */
export interface AccessModelContext {
  issuer: string;
  /** GATEHOUSE_AUDIENCE, the default API. */
  audience: string;
}

/** One API, the default one, without scopes; no roles. */
export function defaultAccessModel(audience: string): AccessModel {
  return { apis: [{ audience, name: audience, scopes: [] }], roles: Object.create(null) };
}
