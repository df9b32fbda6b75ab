import { PostgresClientTokenVersions } from '../../../adapters/postgres/client-token-versions.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { clientTokenVersionsContract } from '../../contract/client-token-versions.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

clientTokenVersionsContract('PostgresClientTokenVersions', async () => {
  const [one, other] = [openPool(), openPool()];
  return {
    store: new PostgresClientTokenVersions({ db: one.knex }),
    another: new PostgresClientTokenVersions({ db: other.knex }),
    unitOfWork: new PostgresUnitOfWork({ db: one.knex }),
    close: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  };
});
