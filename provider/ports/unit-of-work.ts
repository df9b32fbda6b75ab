import type { AccountStore } from './account-store.ts';
import type { Announcements } from './announcements.ts';
import type { ClientTokenVersions } from './client-token-versions.ts';
import type { ConsentStore } from './consent-store.ts';
import type { Denylist } from './denylist.ts';
import type { Outbox } from './outbox.ts';

/** The stores whose writes can be made to stand or fall together. */
export interface TransactionStores {
  accounts: AccountStore;
  consents: ConsentStore;
  outbox: Pick<Outbox, 'append'>;
  announcements: Announcements;
  denylist: Pick<Denylist, 'revoke'>;
  clientTokenVersions: Pick<ClientTokenVersions, 'raise'>;
}

/**
 * Runs `work` in one transaction: when it resolves everything written through the stores it was given is
 * durable, when it throws nothing is. Inside, only those stores may be used: code that reached for others would
 * wait for a second connection (and on the embedded database for ever). Keep hashing and network calls outside.
 */
export interface UnitOfWork {
  run<T>(work: (stores: TransactionStores) => Promise<T>): Promise<T>;
}
