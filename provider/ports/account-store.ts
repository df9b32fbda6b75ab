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
 * The form in which addresses are compared: two spellings with the same key are one address. Accounts are unique and found
 * by it, and tries are counted by it; it is never shown. It is made here and not by SQL `lower`, whose result depends on the
 * database's locale; it is composed (NFC) before and after, because lower case may decompose. Case and composition only:
 * characters that look alike stay different. Letters beyond ASCII may fold together (the Kelvin sign becomes 'k'), so mail
 * always goes to the stored address, never to the typed one. Stores hold results of this function: a change needs a
 * migration.
 */
export const emailKey = (email: string): string => email.normalize('NFC').toLowerCase().normalize('NFC');

/**
 * Accounts. Every implementation compares addresses by `emailKey`.
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
