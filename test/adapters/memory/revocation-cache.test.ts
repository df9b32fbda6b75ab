import { revocationCacheContract } from '../../contract/revocation-cache.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { MemoryRevocationCache } from '../../support/memory/revocation-cache.ts';

revocationCacheContract('MemoryRevocationCache', async () => {
  const clock = createManualClock();
  const store = new MemoryRevocationCache({ clock });
  return { store, clock, loseData: () => store.loseData(), close: async () => {} };
});
