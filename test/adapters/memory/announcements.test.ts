import { MemoryDatabase } from '../../../provider/adapters/memory/database.ts';
import { MemoryUnitOfWork } from '../../../provider/adapters/memory/unit-of-work.ts';
import { announcementsContract } from '../../contract/announcements.ts';

announcementsContract('MemoryAnnouncements', async () => ({
  unitOfWork: new MemoryUnitOfWork({ database: new MemoryDatabase() }),
  close: async () => {},
}));
