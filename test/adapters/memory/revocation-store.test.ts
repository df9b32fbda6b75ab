import { revocationStoreContract } from '../../contract/revocation-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { MemoryRevocationStore } from '../../support/memory/revocation-store.ts';

revocationStoreContract('MemoryRevocationStore', async () => {
  const clock = createManualClock();
  return { store: new MemoryRevocationStore({ clock }), clock, close: async () => {} };
});
