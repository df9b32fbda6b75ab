import { domainToASCII } from 'node:url';

export type AccountState = 'active' | 'disabled';

export interface Account {
  /** `user_…`; the `sub` of every token. */
  id: string;
  /** As the person typed it. It is unique by `emailKey`, the form in which addresses are compared. */
  email: string;
  emailVerified: boolean;
  /** PHC string of the password's hash; undefined for an account without a password. */
  passwordHash?: string | undefined;
  roles: string[];
  metadata: Record<string, unknown>;
  state: AccountState;
  /** Whether a sign-in needs the second factor that the account has in `SecondFactors`. Missing without a factor. */
  hasSecondFactor?: true | undefined;
  /**
   * Whether the person signed up while addresses had to be proved, and has not proved the address yet. Another person may
   * have chosen the password then. Missing for all other accounts.
   */
  isUnconfirmed?: true | undefined;
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
  email?: string;
  emailVerified?: boolean;
  passwordHash?: string;
  /** The account has no password any more. */
  removePassword?: boolean;
  roles?: string[];
  metadata?: Record<string, unknown>;
  state?: AccountState;
  hasSecondFactor?: boolean;
  isUnconfirmed?: boolean;
  /** Adds one to the token version in the same write. */
  raiseTokenVersion?: boolean;
}

const folded = (text: string) => text.normalize('NFC').toLowerCase().normalize('NFC');

/** RFC 1035 §2.3.4, without the trailing dot. */
const longestDomain = 253;

/** Whether a text has an ASCII character that no host name has. `domainToASCII` would cut or decode some of them. */
const hasForeignCharacter = (domain: string) => /[^\P{ASCII}a-z0-9.-]/iu.test(domain);

/**
 * The ASCII form of a domain (UTS #46, nontransitional, as browsers write the hosts of URLs), without the trailing dot.
 * A text that has no such form is only folded. Long texts are not converted, because Punycode takes quadratic time.
 */
function domainKey(domain: string): string {
  if (domain.length > longestDomain) return folded(domain);
  // Unicode 15.1 maps the capital letter to ß and earlier versions map it to ss: the key must not depend on Node's.
  const mapped = domain.normalize('NFKC').replaceAll('。', '.').replaceAll('ẞ', 'ß').replace(/\.$/, '');
  if (/^\p{ASCII}*$/u.test(mapped)) return mapped.toLowerCase();
  if (mapped.length > longestDomain || hasForeignCharacter(mapped)) return folded(domain);
  return domainToASCII(mapped) || folded(domain);
}

/**
 * The normal form in which addresses are compared. Two spellings with the same key are the same address. Accounts are
 * unique by this key and are found by it. Sign-in attempts are counted by it. It is never shown, and mail is always
 * sent to the stored address and never to the typed one.
 *
 * White space around the address is left out. The domain is written in ASCII (RFC 5890), because browsers and mail
 * servers do the same, and without a trailing dot. Of the local part only case and composition are made equal (Unicode
 * NFC, RFC 6532 §3.1): its other characters mean what its mail server says, so characters that look alike stay
 * different. The text is composed before and after the change to lower case, because that change can decompose
 * characters. It is done here and not by SQL `lower`, whose result depends on the database's locale.
 *
 * Any text has a key, also a text that is no address. Stores contain results of this function, so a change of the
 * function needs a migration (docs/decisions/0004-email-addresses.md).
 */
export function emailKey(email: string): string {
  const text = email.trim();
  const at = text.lastIndexOf('@');
  if (at === -1) return folded(text);
  return `${folded(text.slice(0, at))}@${domainKey(text.slice(at + 1))}`;
}

/**
 * Accounts. Every implementation compares addresses by `emailKey`. Times (`at`) are in milliseconds since the epoch.
 *
 * Concurrency, on every implementation, across processes:
 * - of any number of parallel `insert`s of one address, in any spelling, exactly one gets true. This includes the
 *   accounts of `insertMany`, and `update`s that give an account this address.
 * - an address is taken too while another account can get it back (`AddressChanges`).
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
  /**
   * Gives the account after the change, or undefined when there is no such account. Throws `address_taken` when another
   * account has the new address; then the transaction can't commit.
   */
  update(id: string, change: AccountChange, at: number): Promise<Account | undefined>;
  /** Stores a new hash of the same password, made with other parameters. Gives true when it was replaced. */
  replacePasswordHash(id: string, from: string, to: string, at: number): Promise<boolean>;
  /** Gives at most `limit` accounts, ordered by id, after the given id. */
  list(after: string | undefined, limit: number): Promise<Account[]>;
}
