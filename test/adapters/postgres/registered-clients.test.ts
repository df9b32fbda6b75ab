import { PostgresRegisteredClients } from '../../../adapters/postgres/registered-clients.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { registeredClientsContract } from '../../contract/registered-clients.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

registeredClientsContract('PostgresRegisteredClients', async () => {
  const [one, other] = [openPool(), openPool()];
  await one.knex.raw('truncate registered_clients');
  return {
    store: new PostgresRegisteredClients({ db: one.knex }),
    another: new PostgresRegisteredClients({ db: other.knex }),
    unitOfWork: new PostgresUnitOfWork({ db: one.knex }),
    close: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  };
});
