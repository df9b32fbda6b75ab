import { MemoryConsentStore } from '../../../provider/adapters/memory/consent-store.ts';
import { consentStoreContract } from '../../contract/consent-store.ts';

consentStoreContract('MemoryConsentStore', async () => ({
  store: new MemoryConsentStore(),
  close: async () => {},
}));
