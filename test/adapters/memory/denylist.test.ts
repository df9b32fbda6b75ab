import { MemoryDenylist } from '../../../provider/adapters/memory/denylist.ts';
import { denylistContract } from '../../contract/denylist.ts';
import { createManualClock } from '../../support/manual-clock.ts';

denylistContract('MemoryDenylist', async () => {
  const clock = createManualClock();
  return { store: new MemoryDenylist({ clock }), clock, close: async () => {} };
});
