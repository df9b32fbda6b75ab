import { clientGenerationsContract } from '../../contract/client-generations.ts';
import { MemoryClientGenerations } from '../../support/memory/client-generations.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

clientGenerationsContract('MemoryClientGenerations', async () => {
  const database = new MemoryDatabase();
  return {
    store: new MemoryClientGenerations({ database }),
    unitOfWork: new MemoryUnitOfWork({ database }),
    close: async () => {},
  };
});
