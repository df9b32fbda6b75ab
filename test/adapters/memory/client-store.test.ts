import { clientStoreContract } from '../../contract/client-store.ts';
import { MemoryClientStore } from '../../support/memory/client-store.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

clientStoreContract('MemoryClientStore', async () => {
  const database = new MemoryDatabase();
  return {
    store: new MemoryClientStore({ database }),
    unitOfWork: new MemoryUnitOfWork({ database }),
    close: async () => {},
  };
});
