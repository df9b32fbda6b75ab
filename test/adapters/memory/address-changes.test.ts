import { addressChangesContract } from '../../contract/address-changes.ts';
import { MemoryAccountStore } from '../../support/memory/account-store.ts';
import { MemoryAddressChanges } from '../../support/memory/address-changes.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';

addressChangesContract('MemoryAddressChanges', async () => {
  const database = new MemoryDatabase();
  return {
    store: new MemoryAddressChanges({ database }),
    accounts: new MemoryAccountStore({ database }),
    close: async () => {},
  };
});
