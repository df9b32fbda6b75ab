import { accountStoreContract } from '../../contract/account-store.ts';
import { MemoryAccountStore } from '../../support/memory/account-store.ts';

accountStoreContract('MemoryAccountStore', async () => ({
  store: new MemoryAccountStore(),
  close: async () => {},
}));
