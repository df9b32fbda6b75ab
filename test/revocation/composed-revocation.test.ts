import '../../provider/oidc/runtime-notice.ts';
import { expect, test } from '@jest/globals';
import { createAudit } from '../../provider/compose/compose-audit.ts';
import { composeRevocation } from '../../provider/compose/compose-sign-ins.ts';
import { loadConfig } from '../../provider/config/load.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryFamilyStore } from '../support/memory/family-store.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

function compose() {
  const clock = createManualClock();
  const database = new MemoryDatabase();
  const lasting = new MemoryRevocationStore({ database, clock });
  const copied: RevocationKey[] = [];
  const revocation = composeRevocation({
    config: loadConfig({ env: { GATEHOUSE_ACCESS_TOKEN_SECONDS: '60' } }),
    ports: { families: new MemoryFamilyStore({ clock }) },
    denylist: {
      revoke: (keys, expiresAt) => lasting.revoke(keys, expiresAt),
      anyRevoked: (keys) => lasting.anyRevoked(keys),
      copy: async (keys) => void copied.push(...keys),
    },
    clock,
    audit: createAudit({
      unitOfWork: new MemoryUnitOfWork({ database, clock }),
      clock,
      logger: { warn: () => {} },
    }),
  });
  return { clock, copied, revocation };
}

test('what was issued while tokens lived longer stays revoked after they were made to live shorter', async () => {
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

test('an end that is written with its event is known to other processes at once', async () => {
  const { copied, revocation } = compose();
  await revocation.endFamily('fam_1');
  await revocation.endSession({ uid: 'u', accountId: 'user_a', sessionId: 'handle', expiresAt: 0 });
  expect(copied).toEqual(['family:fam_1', 'session:u']);
});
