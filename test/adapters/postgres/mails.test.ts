import { PostgresMails } from '../../../adapters/postgres/mails.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { mailsContract } from '../../contract/mails.ts';
import { emptyTables, useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

mailsContract('PostgresMails', async () => {
  const pool = openPool();
  await emptyTables(pool);
  const { knex: db } = pool;
  return { mails: new PostgresMails({ db }), unitOfWork: new PostgresUnitOfWork({ db }), close: pool.close };
});
