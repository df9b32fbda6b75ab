import { logoutsContract } from '../../contract/logouts.ts';
import { MemoryAccountStore } from '../../support/memory/account-store.ts';
import { MemoryClientSessions } from '../../support/memory/client-sessions.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryLogouts } from '../../support/memory/logouts.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

logoutsContract('the memory stores', async () => {
  const database = new MemoryDatabase();
  return {
    sessions: new MemoryClientSessions({ database }),
    logouts: new MemoryLogouts({ database }),
    accounts: new MemoryAccountStore({ database }),
    unitOfWork: new MemoryUnitOfWork({ database }),
    close: async () => {},
  };
});
