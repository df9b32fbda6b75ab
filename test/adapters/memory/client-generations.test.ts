import { MemoryClientGenerations } from '../../../provider/adapters/memory/client-generations.ts';
import { MemoryDatabase } from '../../../provider/adapters/memory/database.ts';
import { MemoryUnitOfWork } from '../../../provider/adapters/memory/unit-of-work.ts';
import { clientGenerationsContract } from '../../contract/client-generations.ts';

clientGenerationsContract('MemoryClientGenerations', async () => {
  const database = new MemoryDatabase();
  return {
    store: new MemoryClientGenerations({ database }),
    unitOfWork: new MemoryUnitOfWork({ database }),
    close: async () => {},
  };
});
