import { factorRemovalsContract } from '../../contract/factor-removals.ts';
import { MemoryFactorRemovals } from '../../support/memory/factor-removals.ts';

factorRemovalsContract('MemoryFactorRemovals', async () => ({
  store: new MemoryFactorRemovals(),
  close: async () => {},
}));
