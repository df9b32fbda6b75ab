/** What a person agreed that a client may have. */
export interface Consent {
  accountId: string;
  clientId: string;
  /** OpenID Connect scopes: openid, profile, email, offline_access. */
  oidcScopes: string[];
  /** Scopes by audience (RFC 8707 resource). */
  resourceScopes: Record<string, string[]>;
}

/**
 * Consents, one for each account and client.
 *
 * Concurrency, on every implementation, across processes: `add` is a union in one write, so two tabs that
 * agree to different scopes at once leave both agreed to.
 */
export interface ConsentStore {
  find(accountId: string, clientId: string): Promise<Consent | undefined>;
  /** Adds to what was agreed before; gives the union. */
  add(consent: Consent, at: number): Promise<Consent>;
  withdraw(accountId: string, clientId: string): Promise<void>;
}
