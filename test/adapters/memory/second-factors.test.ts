import { secondFactorsContract } from '../../contract/second-factors.ts';
import { MemorySecondFactors } from '../../support/memory/second-factors.ts';

secondFactorsContract('MemorySecondFactors', async () => ({
  store: new MemorySecondFactors(),
  close: async () => {},
}));
