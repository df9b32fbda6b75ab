import { clientTokenVersionsContract } from '../../contract/client-token-versions.ts';
import { MemoryClientTokenVersions } from '../../support/memory/client-token-versions.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

clientTokenVersionsContract('MemoryClientTokenVersions', async () => {
  const database = new MemoryDatabase();
  return {
    store: new MemoryClientTokenVersions({ database }),
    unitOfWork: new MemoryUnitOfWork({ database }),
    close: async () => {},
  };
});
