import { MemoryDenylistCopy } from '../../../provider/adapters/memory/denylist-copy.ts';
import { denylistCopyContract } from '../../contract/denylist-copy.ts';
import { createManualClock } from '../../support/manual-clock.ts';

denylistCopyContract('MemoryDenylistCopy', async () => {
  const clock = createManualClock();
  const store = new MemoryDenylistCopy({ clock });
  return { store, clock, loseData: () => store.loseData(), close: async () => {} };
});
