import { MemoryFamilyStore } from '../../../provider/adapters/memory/family-store.ts';
import { familyStoreContract } from '../../contract/family-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';

familyStoreContract('MemoryFamilyStore', async () => {
  const clock = createManualClock();
  return { store: new MemoryFamilyStore({ clock }), clock, close: async () => {} };
});
