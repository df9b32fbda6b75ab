import { PostgresClientStore } from '../../../adapters/postgres/client-store.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { clientStoreContract } from '../../contract/client-store.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

clientStoreContract('PostgresClientStore', async () => {
  const pools = [openPool(), openPool()];
  const [one, other] = pools.map(({ knex: db }) => ({
    store: new PostgresClientStore({ db }),
    unitOfWork: new PostgresUnitOfWork({ db }),
  }));
  if (!one || !other) throw new Error('two pools were opened');
  return {
    ...one,
    another: other,
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
});
