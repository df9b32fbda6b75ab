export type AccountState = 'active' | 'disabled';

export interface Account {
  /** `user_…`; the `sub` of every token. */
  id: string;
  /** As the person typed it. Unique without regard to case. */
  email: string;
  emailVerified: boolean;
  /** PHC string of the password's hash; undefined for an account without a password. */
  passwordHash?: string | undefined;
  roles: string[];
  metadata: Record<string, unknown>;
  state: AccountState;
  /** Raised by 'sign out everywhere', a new password and disabling: tokens with a lower number are dead. */
  tokenVersion: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
  updatedAt: number;
}

/** An account without its password's hash, which nobody needs but who checks a password. */
export type AccountFacts = Omit<Account, 'passwordHash'>;

export interface AccountChange {
  emailVerified?: boolean;
  passwordHash?: string;
  roles?: string[];
  metadata?: Record<string, unknown>;
  state?: AccountState;
  /** Adds one to the token version in the same write. */
  raiseTokenVersion?: boolean;
}

/**
 * The form in which addresses are compared: two addresses with the same key are the same address. Stores use it to find
 * an account and to keep addresses unique; rate limits use it to count tries. It is never shown, and mail never goes to it.
 *
 * It ignores case and Unicode composition (NFC), nothing else: look-alike letters stay different. It is NFC before and after,
 * because lower case may decompose a letter. Code does this and not SQL `lower`, because the result of `lower` depends on the
 * locale of the database (in "C" it leaves 'É' alone). Letters outside of ASCII may become the same (the Kelvin sign is 'k'),
 * so mail must go to the stored address, never to the typed one. Rows hold the results of this function: changing it needs a
 * migration.
 */
export function emailKey(email: string): string {
  return email.normalize('NFC').toLowerCase().normalize('NFC');
}

/**
 * Accounts. The store compares addresses by `emailKey`.
 *
 * Concurrency, on every implementation, across processes:
 * - of any number of parallel `insert`s of one address (in whatever case) exactly one gets true; an account of
 *   `insertMany` is one of them.
 * - `replacePasswordHash` is one conditional write: it changes nothing unless the stored hash still is `from`.
 * - `update` changes only the fields named; a tokenVersion raised by two parallel calls is raised twice.
 */
export interface AccountStore {
  /** False when the address or id is taken. */
  insert(account: Account): Promise<boolean>;
  /**
   * Inserts those whose address and id are free, in one write; gives their ids. Of two that can't both be, the
   * earlier stands. For hundreds at a time, not for hundreds of thousands.
   */
  insertMany(accounts: readonly Account[]): Promise<string[]>;
  findById(id: string): Promise<Account | undefined>;
  findByEmail(email: string): Promise<Account | undefined>;
  /** Undefined when there is no such account; else the account as it is after the change. */
  update(id: string, change: AccountChange, at: number): Promise<Account | undefined>;
  /** Stores the same password's hash under new parameters. True when it was replaced. */
  replacePasswordHash(id: string, from: string, to: string, at: number): Promise<boolean>;
  /** Accounts in order of id, after the given id; at most `limit`. */
  list(after: string | undefined, limit: number): Promise<Account[]>;
}
