/** A change of the address of an account. */
export interface AddressChange {
  id: string;
  accountId: string;
  /** The address of the account when the change was requested. */
  from: string;
  /** The new address. */
  to: string;
  /**
   * When it ends, in milliseconds since the epoch: a change that waits can't be confirmed any more, and a change that is
   * done can't be undone any more.
   */
  expiresAt: number;
}

/**
 * Changes of addresses, from the request until they can't be undone any more. The store also deletes those that have
 * expired (`ExpiredRows`). Until then an account store refuses the earlier address to other accounts, so it is there for
 * the undo.
 *
 * Guarantees, on every implementation, across processes:
 * - an account has at most one change that waits. `request` is one write: after any number of parallel calls exactly one
 *   of them waits, and the earlier one can't be completed.
 * - `complete` and `undo` are conditional writes. Of any number of parallel calls for one change, one `complete` and one
 *   `undo` get the change.
 * - a change that has expired at `now` is never given.
 */
export interface AddressChanges {
  /** Stores a change that waits for its confirmation, instead of the earlier one of the account. */
  request(change: AddressChange): Promise<void>;
  /** The change of the account that waits. */
  waiting(accountId: string, now: number): Promise<AddressChange | undefined>;
  /** Ends the wait: the change is done, and can be undone until `expiresAt`. Undefined when it does not wait any more. */
  complete(id: string, now: number, expiresAt: number): Promise<AddressChange | undefined>;
  /**
   * Removes a change that is done, all later changes of its account, and the one that waits. Undefined when it is not
   * there, for example because an earlier change was undone.
   */
  undo(id: string, now: number): Promise<AddressChange | undefined>;
}
