import { registeredClientsContract } from '../../contract/registered-clients.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryRegisteredClients } from '../../support/memory/registered-clients.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

registeredClientsContract('MemoryRegisteredClients', async () => {
  const database = new MemoryDatabase();
  return {
    store: new MemoryRegisteredClients({ database }),
    unitOfWork: new MemoryUnitOfWork({ database }),
    close: async () => {},
  };
});
