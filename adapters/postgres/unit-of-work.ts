import type { Knex } from 'knex';
import type { Account } from '../../provider/ports/account-store.ts';
import type { OutboxEvent } from '../../provider/ports/outbox.ts';
import type { RecentSignIn } from '../../provider/ports/sign-in-history.ts';
import type { SignInUnitOfWork, TransactionStores } from '../../provider/ports/unit-of-work.ts';
import { PostgresAccountStore } from './account-store.ts';
import { PostgresAddressChanges } from './address-changes.ts';
import { PostgresAnnouncements } from './announcements.ts';
import { PostgresClientSessions } from './client-sessions.ts';
import { PostgresClientWriter } from './client-store.ts';
import { PostgresClientTokenVersions } from './client-token-versions.ts';
import { PostgresConsentStore } from './consent-store.ts';
import { PostgresFactorRemovals } from './factor-removals.ts';
import { PostgresLogouts } from './logouts.ts';
import { PostgresMails } from './mails.ts';
import { PostgresOneTimeTokens } from './one-time-tokens.ts';
import { PostgresOutbox } from './outbox.ts';
import { PostgresPasskeys } from './passkeys.ts';
import { PostgresRegisteredClients } from './registered-clients.ts';
import { revokeKeys } from './revocation-store.ts';
import { PostgresSecondFactors } from './second-factors.ts';
import { translateError } from './store-errors.ts';

/** Runs work in one Postgres transaction. A store is created when the work first uses it. */
export class PostgresUnitOfWork implements SignInUnitOfWork {
  readonly #db: Knex;

  constructor({ db }: { db: Knex }) {
    this.#db = db;
  }

  async run<T>(work: (stores: TransactionStores) => Promise<T>): Promise<T> {
    let thrown: { error: unknown } | undefined;
    const keepError = async (stores: TransactionStores) => {
      try {
        return await work(stores);
      } catch (error) {
        thrown = { error };
        throw error;
      }
    };
    try {
      return await this.#db.transaction((transaction) => attempt(transaction, keepError));
    } catch (error) {
      // The caller gets the error of its own work, even when the rollback failed after it.
      throw thrown === undefined ? translateError(error) : thrown.error;
    }
  }

  recordSignIn(account: Account, event: OutboxEvent, signIn: RecentSignIn): Promise<boolean> {
    return new PostgresOutbox({ db: this.#db }).appendIfUnchanged(account, event, signIn);
  }
}

async function attempt<T>(
  transaction: Knex.Transaction,
  work: (stores: TransactionStores) => Promise<T>,
): Promise<T> {
  const failures: unknown[] = [];
  transaction.on('query-error', (error: unknown) => failures.push(error));
  const result = await work(lazyStores(transaction));
  // For a transaction that failed, Postgres answers COMMIT with a rollback and without an error. Without this check,
  // work that ignored the failed query would seem to be durable.
  if (failures.length > 0) throw failures[0];
  return result;
}

/** The stores of one transaction, each created when it is first used. */
function lazyStores(db: Knex.Transaction): TransactionStores {
  let accounts: PostgresAccountStore | undefined;
  let addressChanges: PostgresAddressChanges | undefined;
  let consents: PostgresConsentStore | undefined;
  let outbox: PostgresOutbox | undefined;
  let announcements: PostgresAnnouncements | undefined;
  let clientTokenVersions: PostgresClientTokenVersions | undefined;
  let clients: PostgresClientWriter | undefined;
  let registeredClients: PostgresRegisteredClients | undefined;
  let clientSessions: PostgresClientSessions | undefined;
  let logouts: PostgresLogouts | undefined;
  let mails: PostgresMails | undefined;
  let secondFactors: PostgresSecondFactors | undefined;
  let oneTimeTokens: PostgresOneTimeTokens | undefined;
  let passkeys: PostgresPasskeys | undefined;
  let factorRemovals: PostgresFactorRemovals | undefined;
  return {
    get accounts() {
      accounts ??= new PostgresAccountStore({ db });
      return accounts;
    },
    get addressChanges() {
      addressChanges ??= new PostgresAddressChanges({ db });
      return addressChanges;
    },
    get consents() {
      consents ??= new PostgresConsentStore({ db });
      return consents;
    },
    get outbox() {
      outbox ??= new PostgresOutbox({ db });
      return outbox;
    },
    get announcements() {
      announcements ??= new PostgresAnnouncements({ db });
      return announcements;
    },
    get clientTokenVersions() {
      clientTokenVersions ??= new PostgresClientTokenVersions({ db });
      return clientTokenVersions;
    },
    get clients() {
      clients ??= new PostgresClientWriter({ db });
      return clients;
    },
    get registeredClients() {
      registeredClients ??= new PostgresRegisteredClients({ db });
      return registeredClients;
    },
    get clientSessions() {
      clientSessions ??= new PostgresClientSessions({ db });
      return clientSessions;
    },
    get logouts() {
      logouts ??= new PostgresLogouts({ db });
      return logouts;
    },
    get mails() {
      mails ??= new PostgresMails({ db });
      return mails;
    },
    get secondFactors() {
      secondFactors ??= new PostgresSecondFactors({ db });
      return secondFactors;
    },
    get oneTimeTokens() {
      oneTimeTokens ??= new PostgresOneTimeTokens({ db });
      return oneTimeTokens;
    },
    get passkeys() {
      passkeys ??= new PostgresPasskeys({ db });
      return passkeys;
    },
    get factorRemovals() {
      factorRemovals ??= new PostgresFactorRemovals({ db });
      return factorRemovals;
    },
    denylist: { revoke: (keys, expiresAt) => revokeKeys(db, keys, expiresAt) },
  };
}
