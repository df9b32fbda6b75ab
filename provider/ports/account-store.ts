export type AccountState = 'active' | 'disabled';

export interface Account {
  /** `user_…`; the `sub` of every token. */
  id: string;
  /** As the person typed it. It is unique; upper and lower case count as equal. */
  email: string;
  emailVerified: boolean;
  /** PHC string of the password's hash; undefined for an account without a password. */
  passwordHash?: string | undefined;
  roles: string[];
  metadata: Record<string, unknown>;
  state: AccountState;
  /**
   * Raised by 'sign out everywhere', by a new password and when the account is disabled. Tokens with a lower version
   * are no longer valid.
   */
  tokenVersion: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
  updatedAt: number;
}

/** An account without its password hash. Only the password check needs the hash. */
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
 * The key by which addresses are compared. Two spellings with the same key are the same address. Accounts are unique by
 * this key and are found by it. Sign-in attempts are counted by it. It is never shown.
 *
 * The key is computed here and not by SQL `lower`, whose result depends on the database's locale. The text is composed
 * (Unicode NFC) before and after the change to lower case, because that change can decompose characters. Only case and
 * composition are made equal: characters that look alike stay different. A few letters beyond ASCII become equal to
 * ASCII letters, for example the Kelvin sign and 'k'. Therefore mail is always sent to the stored address and never to
 * the typed one.
 *
 * Stores contain results of this function, so a change of the function needs a migration.
 */
export const emailKey = (email: string): string => email.normalize('NFC').toLowerCase().normalize('NFC');

/**
 * Accounts. Every implementation compares addresses by `emailKey`. Times (`at`) are in milliseconds since the epoch.
 *
 * Concurrency, on every implementation, across processes:
 * - of any number of parallel `insert`s of one address, in upper or lower case, exactly one gets true. This includes
 *   the accounts of `insertMany`.
 * - `replacePasswordHash` is one conditional write. It changes nothing unless the stored hash is still `from`.
 * - `update` changes only the fields that are given. When two parallel calls raise the token version, it is raised
 *   twice.
 */
export interface AccountStore {
  /** Gives false when the address or the id is taken. */
  insert(account: Account): Promise<boolean>;
  /**
   * Inserts the accounts whose address and id are free, in one write, and gives their ids. When two of the given
   * accounts conflict, the first one is inserted. Intended for hundreds of accounts per call, not for hundreds of
   * thousands.
   */
  insertMany(accounts: readonly Account[]): Promise<string[]>;
  findById(id: string): Promise<Account | undefined>;
  findByEmail(email: string): Promise<Account | undefined>;
  /** Gives the account after the change, or undefined when there is no such account. */
  update(id: string, change: AccountChange, at: number): Promise<Account | undefined>;
  /** Stores a new hash of the same password, made with other parameters. Gives true when it was replaced. */
  replacePasswordHash(id: string, from: string, to: string, at: number): Promise<boolean>;
  /** Gives at most `limit` accounts, ordered by id, after the given id. */
  list(after: string | undefined, limit: number): Promise<Account[]>;
}
