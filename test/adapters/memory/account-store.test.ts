import { MemoryAccountStore } from '../../../provider/adapters/memory/account-store.ts';
import { accountStoreContract } from '../../contract/account-store.ts';

accountStoreContract('MemoryAccountStore', async () => ({
  store: new MemoryAccountStore(),
  close: async () => {},
}));
