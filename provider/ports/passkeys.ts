/** A passkey of an account: a discoverable credential (WebAuthn Level 3 §4). Only its public key is here. */
export interface Passkey {
  /** The credential id, base64url. */
  id: string;
  accountId: string;
  /** The public key as a COSE_Key (RFC 9052 §7), base64url. */
  publicKey: string;
  /** The signature counter (WebAuthn §6.1.1). Passkeys that several devices share always have 0. */
  counter: number;
  /** How a browser reaches the authenticator, as it said when the passkey was made (WebAuthn §5.8.4). */
  transports: string[];
  /** Whether the passkey can be on several devices (flag BE, WebAuthn §6.1.3). It never changes. */
  isShareable: boolean;
  /** Whether a copy exists now (flag BS). */
  isBackedUp: boolean;
  /** The name that the person gave it. */
  name: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** Milliseconds since the epoch. Undefined until the first sign-in. */
  lastUsedAt?: number | undefined;
}

/** A passkey with the user handle of its account (WebAuthn §4), base64url. */
export type StoredPasskey = Passkey & { userHandle: string };

/** What a sign-in changes. */
export type PasskeyUse = Pick<Passkey, 'counter' | 'isBackedUp'> & { at: number };

/**
 * `exists`: the credential id is known already, or the account has another user handle. `full`: the account has the most
 * passkeys that it may have.
 */
export type PasskeyAdded = 'added' | 'exists' | 'full';

/**
 * The passkeys of accounts. Each account has one user handle, which it keeps when its passkeys are removed: so an
 * authenticator replaces the passkey of an account and does not keep two. Times are in milliseconds since the epoch.
 *
 * Concurrency, on every implementation, across processes:
 * - of any number of parallel `add`s of one credential id, exactly one gets `added`;
 * - `use` is one conditional write. Of any number of parallel calls with one counter that is not 0, exactly one gets true.
 */
export interface Passkeys {
  find(id: string): Promise<StoredPasskey | undefined>;
  /** The oldest first. */
  list(accountId: string): Promise<Passkey[]>;
  /** Undefined for an account that never had a passkey. */
  userHandle(accountId: string): Promise<string | undefined>;
  /**
   * @param most how many passkeys the account may have. The bound is exact if parallel calls for one account wait for each
   *   other, as `SecondFactors.touch` makes them do
   */
  add(passkey: StoredPasskey, most: number): Promise<PasskeyAdded>;
  /** Gives false, and changes nothing, when the counter is not higher than the stored one. Two zeros are allowed. */
  use(id: string, use: PasskeyUse): Promise<boolean>;
  /** Gives false when the account has no such passkey. */
  rename(accountId: string, id: string, name: string): Promise<boolean>;
  /** Gives the removed passkey, or undefined when the account has no such passkey. */
  remove(accountId: string, id: string): Promise<Passkey | undefined>;
  /** Gives the removed passkeys. */
  removeAll(accountId: string): Promise<Passkey[]>;
}
