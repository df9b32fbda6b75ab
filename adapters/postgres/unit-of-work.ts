import type { Knex } from 'knex';
import type { TransactionStores, UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { PostgresAccountStore } from './account-store.ts';
import { PostgresAnnouncements } from './announcements.ts';
import { PostgresClientTokenVersions } from './client-token-versions.ts';
import { PostgresConsentStore } from './consent-store.ts';
import { PostgresOutbox } from './outbox.ts';
import { revokeKeys } from './revocation-store.ts';
import { translateError } from './store-errors.ts';

export class PostgresUnitOfWork implements UnitOfWork {
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
      // The work's own error is its caller's affair, even when the rollback failed after it.
      throw thrown === undefined ? translateError(error) : thrown.error;
    }
  }
}

async function attempt<T>(
  transaction: Knex.Transaction,
  work: (stores: TransactionStores) => Promise<T>,
): Promise<T> {
  const failures: unknown[] = [];
  transaction.on('query-error', (error: unknown) => failures.push(error));
  const result = await work({
    accounts: new PostgresAccountStore({ db: transaction }),
    consents: new PostgresConsentStore({ db: transaction }),
    outbox: new PostgresOutbox({ db: transaction }),
    announcements: new PostgresAnnouncements({ db: transaction }),
    denylist: { revoke: (keys, expiresAt) => revokeKeys(transaction, keys, expiresAt) },
    clientTokenVersions: new PostgresClientTokenVersions({ db: transaction }),
  });
  // Postgres answers COMMIT of a failed transaction with a rollback and no error: work that swallowed the
  // failure would seem to be durable.
  if (failures.length > 0) throw failures[0];
  return result;
}
