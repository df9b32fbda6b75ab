import { passkeysContract } from '../../contract/passkeys.ts';
import { MemoryPasskeys } from '../../support/memory/passkeys.ts';

passkeysContract('MemoryPasskeys', async () => ({
  store: new MemoryPasskeys(),
  close: async () => {},
}));
