import { type Clock, systemClock } from '../../../provider/lib/clock.ts';
import type { Account } from '../../../provider/ports/account-store.ts';
import type { OutboxEvent } from '../../../provider/ports/outbox.ts';
import type { RecentSignIn } from '../../../provider/ports/sign-in-history.ts';
import type { SignInUnitOfWork, TransactionStores } from '../../../provider/ports/unit-of-work.ts';
import { MemoryAccountStore } from './account-store.ts';
import { MemoryAddressChanges } from './address-changes.ts';
import { MemoryAnnouncements } from './announcements.ts';
import { MemoryClientSessions } from './client-sessions.ts';
import { MemoryClientStore } from './client-store.ts';
import { MemoryClientTokenVersions } from './client-token-versions.ts';
import { MemoryConsentStore } from './consent-store.ts';
import type { MemoryDatabase } from './database.ts';
import { MemoryFactorRemovals } from './factor-removals.ts';
import { MemoryLogouts } from './logouts.ts';
import { MemoryMails } from './mails.ts';
import { MemoryOneTimeTokens } from './one-time-tokens.ts';
import { MemoryOutbox } from './outbox.ts';
import { MemoryPasskeys } from './passkeys.ts';
import { MemoryRegisteredClients } from './registered-clients.ts';
import { MemoryRevocationStore } from './revocation-store.ts';
import { MemorySecondFactors } from './second-factors.ts';

/** The fields that `recordSignIn` compares. */
const compared = ({ state, email, passwordHash, roles, tokenVersion, ...rest }: Account): string => {
  const { hasSecondFactor, isUnconfirmed } = rest;
  return JSON.stringify([state, email, passwordHash, roles, tokenVersion, hasSecondFactor, isUnconfirmed]);
};

/** Runs transactions on a MemoryDatabase one by one. Other stores wait, as on the embedded database. */
export class MemoryUnitOfWork implements SignInUnitOfWork {
  readonly #database: MemoryDatabase;
  readonly #clock: Clock;

  constructor({ database, clock = systemClock }: { database: MemoryDatabase; clock?: Clock }) {
    this.#database = database;
    this.#clock = clock;
  }

  recordSignIn(account: Account, event: OutboxEvent, signIn: RecentSignIn): Promise<boolean> {
    return this.run(async ({ accounts, outbox }) => {
      const stored = await accounts.findById(account.id);
      if (stored === undefined || compared(stored) !== compared(account)) return false;
      await outbox.append(event, signIn);
      return true;
    });
  }

  run<T>(work: (stores: TransactionStores) => Promise<T>): Promise<T> {
    return this.#database.transaction((database) =>
      work({
        accounts: new MemoryAccountStore({ database }),
        addressChanges: new MemoryAddressChanges({ database }),
        consents: new MemoryConsentStore({ database }),
        outbox: new MemoryOutbox({ database }),
        announcements: new MemoryAnnouncements({ database }),
        denylist: new MemoryRevocationStore({ database, clock: this.#clock }),
        clientTokenVersions: new MemoryClientTokenVersions({ database }),
        clients: new MemoryClientStore({ database }),
        registeredClients: new MemoryRegisteredClients({ database }),
        clientSessions: new MemoryClientSessions({ database }),
        logouts: new MemoryLogouts({ database }),
        mails: new MemoryMails({ database }),
        secondFactors: new MemorySecondFactors({ database }),
        oneTimeTokens: new MemoryOneTimeTokens({ database }),
        passkeys: new MemoryPasskeys({ database }),
        factorRemovals: new MemoryFactorRemovals({ database }),
      }),
    );
  }
}
