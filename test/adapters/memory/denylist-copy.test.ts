import { denylistCopyContract } from '../../contract/denylist-copy.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { MemoryDenylistCopy } from '../../support/memory/denylist-copy.ts';

denylistCopyContract('MemoryDenylistCopy', async () => {
  const clock = createManualClock();
  const store = new MemoryDenylistCopy({ clock });
  return { store, clock, loseData: () => store.loseData(), close: async () => {} };
});
