import { PostgresAccountStore } from '../../../adapters/postgres/account-store.ts';
import { PostgresAddressChanges } from '../../../adapters/postgres/address-changes.ts';
import { addressChangesContract } from '../../contract/address-changes.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

addressChangesContract('PostgresAddressChanges', async () => {
  const pool = openPool();
  const second = openPool();
  return {
    store: new PostgresAddressChanges({ db: pool.knex }),
    accounts: new PostgresAccountStore({ db: pool.knex }),
    another: () => new PostgresAddressChanges({ db: second.knex }),
    close: async () => {
      await pool.close();
      await second.close();
    },
  };
});
