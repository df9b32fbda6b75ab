import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { announcementsContract } from '../../contract/announcements.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

announcementsContract('PostgresAnnouncements', async () => {
  const [one, other] = [openPool(), openPool()];
  return {
    unitOfWork: new PostgresUnitOfWork({ db: one.knex }),
    another: new PostgresUnitOfWork({ db: other.knex }),
    close: async () => {
      await Promise.all([one.close(), other.close()]);
    },
  };
});
