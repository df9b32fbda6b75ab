import '../../provider/oidc/runtime-notice.ts';
import { expect, test } from '@jest/globals';
import { composeRevocation } from '../../provider/compose/compose-sign-ins.ts';
import { loadConfig } from '../../provider/config/load.ts';
import { createNewEvent } from '../../provider/events/catalogue.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountIndex } from '../support/memory/account-index.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryFamilyStore } from '../support/memory/family-store.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

function compose() {
  const clock = createManualClock();
  const database = new MemoryDatabase();
  const store = new MemoryRevocationStore({ database, clock });
  const cached: RevocationKey[] = [];
  const revocation = composeRevocation({
    config: loadConfig({ env: { GATEHOUSE_ACCESS_TOKEN_SECONDS: '60' } }),
    ports: {
      families: new MemoryFamilyStore({ clock }),
      accountIndex: new MemoryAccountIndex({ clock }),
    },
    denylist: {
      revoke: (keys, expiresAt) => store.revoke(keys, expiresAt),
      anyRevoked: (keys) => store.anyRevoked(keys),
      cacheEntries: async (keys) => void cached.push(...keys),
    },
    clock,
    unitOfWork: new MemoryUnitOfWork({ database, clock }),
    newEvent: createNewEvent({ clock }),
    logger: { warn: () => {} },
  });
  return { clock, cached, revocation };
}

test('a revoked token with an old long life stays revoked after the configured life was shortened', async () => {
  const { clock, revocation } = compose();
  const token = { jti: 'j', family: 'fam_1', consent: 'c', sid: 's', clientId: 'web' };
  const revokes = [
    () => revocation.revokeToken('j'),
    () => revocation.endConsent('c'),
    () => revocation.endSessionAtClient('s'),
    () => revocation.endFamily('fam_1'),
  ];
  for (const revoke of revokes) {
    expect(await revocation.isRevoked(token)).toBe(false);
    await revoke();
    clock.advance(3_600_000);
    expect(await revocation.isRevoked(token)).toBe(true);
    clock.advance(60_000);
  }
});

test('an end with an event is visible to other processes at once', async () => {
  const { cached, revocation } = compose();
  await revocation.endFamily('fam_1');
  await revocation.endSession({ uid: 'u', accountId: 'user_a', sessionId: 'handle', expiresAt: 0 });
  expect(cached).toEqual(['family:fam_1', 'session:u']);
});
