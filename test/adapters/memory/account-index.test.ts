import { accountIndexContract } from '../../contract/account-index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { MemoryAccountIndex } from '../../support/memory/account-index.ts';

accountIndexContract('MemoryAccountIndex', async () => {
  const clock = createManualClock();
  return { store: new MemoryAccountIndex({ clock }), clock, close: async () => {} };
});
