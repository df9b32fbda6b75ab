import { familyStoreContract } from '../../contract/family-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { MemoryFamilyStore } from '../../support/memory/family-store.ts';

familyStoreContract('MemoryFamilyStore', async () => {
  const clock = createManualClock();
  return { store: new MemoryFamilyStore({ clock }), clock, close: async () => {} };
});
