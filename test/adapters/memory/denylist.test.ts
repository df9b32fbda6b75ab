import { denylistContract } from '../../contract/denylist.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { MemoryDenylist } from '../../support/memory/denylist.ts';

denylistContract('MemoryDenylist', async () => {
  const clock = createManualClock();
  return { store: new MemoryDenylist({ clock }), clock, close: async () => {} };
});
