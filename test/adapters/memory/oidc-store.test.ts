import { oidcStoreContract } from '../../contract/oidc-store.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { MemoryOidcStore } from '../../support/memory/oidc-store.ts';

oidcStoreContract('MemoryOidcStore', async () => {
  const clock = createManualClock();
  return { store: new MemoryOidcStore({ clock }), clock, close: async () => {} };
});
