/** What a person agrees that a client may have. */
export interface Agreement {
  accountId: string;
  clientId: string;
  /** OpenID Connect scopes: openid, profile, email, offline_access. */
  oidcScopes: string[];
  /** Scopes by audience (RFC 8707 resource). */
  resourceScopes: Record<string, string[]>;
}

/** What a person agreed to, as it stands. */
export interface Consent extends Agreement {
  /**
   * Stays the same while more is agreed to, and never comes again once it was withdrawn: what was issued under a
   * consent is good for no other. No bearer value.
   */
  id: string;
  /** When the person first agreed, in milliseconds since the epoch. */
  since: number;
}

/**
 * Consents, one for each account and client.
 *
 * Concurrency, on every implementation, across processes:
 * - `add` is a union in one write, so two tabs that agree to different scopes at once leave both agreed to. It is new
 *   to one of them.
 * - `withdraw` is one conditional write. Of any number of parallel calls for one id exactly one gets true, and a
 *   consent given since then stands.
 */
export interface ConsentStore {
  find(accountId: string, clientId: string): Promise<Consent | undefined>;
  /** All of an account's, those given first before the others. */
  list(accountId: string): Promise<Consent[]>;
  /** Adds to what was agreed before; gives the union, and whether nothing was agreed before. */
  add(agreement: Agreement, at: number): Promise<{ consent: Consent; isNew: boolean }>;
  /** False when there is no consent of this id any more. */
  withdraw(consent: Pick<Consent, 'accountId' | 'clientId' | 'id'>): Promise<boolean>;
}
