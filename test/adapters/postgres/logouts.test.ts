import { PostgresAccountStore } from '../../../adapters/postgres/account-store.ts';
import { PostgresClientSessions } from '../../../adapters/postgres/client-sessions.ts';
import { PostgresLogouts } from '../../../adapters/postgres/logouts.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { logoutsContract } from '../../contract/logouts.ts';
import { emptyTables, useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

logoutsContract('Postgres', async () => {
  const pool = openPool();
  await emptyTables(pool);
  const { knex: db } = pool;
  return {
    sessions: new PostgresClientSessions({ db }),
    logouts: new PostgresLogouts({ db }),
    accounts: new PostgresAccountStore({ db }),
    unitOfWork: new PostgresUnitOfWork({ db }),
    close: pool.close,
  };
});
