import type { Account, AccountStore } from './account-store.ts';
import type { AddressChanges } from './address-changes.ts';
import type { Announcements } from './announcements.ts';
import type { ClientSessions } from './client-sessions.ts';
import type { ClientWriter } from './client-store.ts';
import type { ClientTokenVersions } from './client-token-versions.ts';
import type { ConsentStore } from './consent-store.ts';
import type { Denylist } from './denylist.ts';
import type { FactorRemovals } from './factor-removals.ts';
import type { Logouts } from './logouts.ts';
import type { Mails } from './mails.ts';
import type { OneTimeTokens } from './one-time-tokens.ts';
import type { Outbox, OutboxEvent } from './outbox.ts';
import type { Passkeys } from './passkeys.ts';
import type { RegisteredClients } from './registered-clients.ts';
import type { SecondFactors } from './second-factors.ts';
import type { RecentSignIn } from './sign-in-history.ts';

/** The stores that can be used in one transaction. */
export interface TransactionStores {
  accounts: AccountStore;
  addressChanges: AddressChanges;
  consents: ConsentStore;
  outbox: Pick<Outbox, 'append'>;
  announcements: Announcements;
  denylist: Pick<Denylist, 'revoke'>;
  clientTokenVersions: Pick<ClientTokenVersions, 'raise'>;
  clients: ClientWriter;
  registeredClients: RegisteredClients;
  clientSessions: Pick<ClientSessions, 'end' | 'leave' | 'forget'>;
  logouts: Pick<Logouts, 'markDelivered' | 'markFailed'>;
  mails: Pick<Mails, 'add'>;
  secondFactors: SecondFactors;
  oneTimeTokens: Pick<OneTimeTokens, 'replace' | 'spend' | 'remove'>;
  passkeys: Passkeys;
  factorRemovals: FactorRemovals;
}

/**
 * Runs `work` in one transaction. When `work` resolves, everything that it wrote through the given stores is durable.
 * When it throws, nothing is written. `work` may use only the given stores. Any other store needs a second connection,
 * and the embedded database has only one. Do hashing and network calls outside of `work`.
 */
export interface UnitOfWork {
  run<T>(work: (stores: TransactionStores) => Promise<T>): Promise<T>;
}

/** Also has the usual sign-in as one call, because it is the most frequent transaction. */
export interface SignInUnitOfWork extends UnitOfWork {
  /**
   * Writes the event of a sign-in and its entry in the history, as `Outbox.append` does, in a transaction of its own and
   * in one round trip. It does so only if the stored account still has the `state`, `email`, `passwordHash`, `roles`,
   * `tokenVersion`, `hasSecondFactor` and `isUnconfirmed` of `account`. Otherwise it writes nothing and gives false.
   *
   * Concurrency: a change of these fields that was committed before the call is always seen. A change that commits during
   * the call may be seen or not. If it is not seen, the sign-in counts as earlier than the change: its tokens have the
   * token version of `account`, so a change that raises the version ends them too. The call waits for no other
   * transaction.
   */
  recordSignIn(account: Account, event: OutboxEvent, signIn: RecentSignIn): Promise<boolean>;
}
