import { MemoryOidcStore } from '../../../provider/adapters/memory/oidc-store.ts';
import { oidcStoreContract } from '../../contract/oidc-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';

oidcStoreContract('MemoryOidcStore', async () => {
  const clock = createManualClock();
  return { store: new MemoryOidcStore({ clock }), clock, close: async () => {} };
});
