import { announcementsContract } from '../../contract/announcements.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

announcementsContract('MemoryAnnouncements', async () => ({
  unitOfWork: new MemoryUnitOfWork({ database: new MemoryDatabase() }),
  close: async () => {},
}));
