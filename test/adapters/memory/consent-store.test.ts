import { consentStoreContract } from '../../contract/consent-store.ts';
import { MemoryConsentStore } from '../../support/memory/consent-store.ts';

consentStoreContract('MemoryConsentStore', async () => ({
  store: new MemoryConsentStore(),
  close: async () => {},
}));
