import { PostgresClientGenerations } from '../../../adapters/postgres/client-generations.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { clientGenerationsContract } from '../../contract/client-generations.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

clientGenerationsContract('PostgresClientGenerations', async () => {
  const [one, other] = [openPool(), openPool()];
  return {
    store: new PostgresClientGenerations({ db: one.knex }),
    another: new PostgresClientGenerations({ db: other.knex }),
    unitOfWork: new PostgresUnitOfWork({ db: one.knex }),
    close: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  };
});
