import { MemoryAccountIndex } from '../../../provider/adapters/memory/account-index.ts';
import { accountIndexContract } from '../../contract/account-index.ts';
import { createManualClock } from '../../support/manual-clock.ts';

accountIndexContract('MemoryAccountIndex', async () => {
  const clock = createManualClock();
  return { store: new MemoryAccountIndex({ clock }), clock, close: async () => {} };
});
