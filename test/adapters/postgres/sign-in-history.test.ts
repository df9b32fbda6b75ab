import { PostgresOutbox } from '../../../adapters/postgres/outbox.ts';
import { PostgresSignInHistory } from '../../../adapters/postgres/sign-in-history.ts';
import { signInHistoryContract } from '../../contract/sign-in-history.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

signInHistoryContract('PostgresSignInHistory', async () => {
  const { knex: db, close } = openPool();
  return {
    store: new PostgresSignInHistory({ db }),
    outbox: new PostgresOutbox({ db }),
    count: async (accountId) =>
      Number((await db('recent_sign_ins').where({ account_id: accountId }).count().first())?.count),
    close,
  };
});
