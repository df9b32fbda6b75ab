/** The scopes that a person grants to a client. */
export interface Agreement {
  accountId: string;
  clientId: string;
  /** Scopes of no API: openid, profile, email, roles, groups, offline_access. */
  oidcScopes: string[];
  /** Scopes by audience (RFC 8707 resource). */
  resourceScopes: Record<string, string[]>;
}

/** A consent as it is stored now. */
export interface Consent extends Agreement {
  /**
   * Stays the same while scopes are added. It is never used again after the consent was withdrawn, so tokens issued
   * under one consent are not valid under another. It is not a bearer value.
   */
  id: string;
  /** When the person first agreed, in milliseconds since the epoch. */
  since: number;
}

/**
 * Consents, one for each account and client.
 *
 * Concurrency, on every implementation, across processes:
 * - `add` is a union in one write, so when two tabs grant different scopes at the same time, both are granted. Exactly
 *   one of the two calls gets `isNew`.
 * - `withdraw` is one conditional write. Of any number of parallel calls for one id, exactly one gets true. A consent
 *   that was given later is not changed.
 */
export interface ConsentStore {
  find(accountId: string, clientId: string): Promise<Consent | undefined>;
  /** Gives all consents of an account, the oldest first. */
  list(accountId: string): Promise<Consent[]>;
  /**
   * Adds scopes to the consent. Gives the union, and whether there was no consent before.
   *
   * @param at the current time, in milliseconds since the epoch
   */
  add(agreement: Agreement, at: number): Promise<{ consent: Consent; isNew: boolean }>;
  /** Gives false when there is no consent with this id. */
  withdraw(consent: Pick<Consent, 'accountId' | 'clientId' | 'id'>): Promise<boolean>;
  /** Withdraws the consents of all accounts for these clients. Gives their number. */
  withdrawAll(clientIds: readonly string[]): Promise<number>;
}
