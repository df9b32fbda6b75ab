import { createNewEvent } from '../../provider/events/catalogue.ts';
import type { FamilyStore } from '../../provider/ports/family-store.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { createRevocation } from '../../provider/revocation/revocation.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountIndex } from '../support/memory/account-index.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryFamilyStore } from '../support/memory/family-store.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

const day = 86_400;
export const lifetimes = {
  accessTokenSeconds: 900,
  refreshTokenSeconds: 30 * day,
  tombstoneSeconds: 100 * day,
  sessionSeconds: 14 * day,
};

/** A family of John at the client `web`. */
export const family = (expiresAt: number, id = 'fam_1') => ({
  id,
  accountId: 'user_john',
  clientId: 'web',
  currentHash: 'h1',
  payload: 'sealed',
  expiresAt,
});

/** Parts of one process that a test can replace, for example to let them fail. */
interface Own {
  unitOfWork?: UnitOfWork;
  families?: Pick<FamilyStore, 'find' | 'end'>;
  anyRevoked?: (keys: RevocationKey[]) => Promise<boolean>;
}

/** Stores in memory, and a revocation for each process that uses them. */
export function createRevocationWorld() {
  const clock = createManualClock();
  const database = new MemoryDatabase();
  const denylist = new MemoryRevocationStore({ database, clock });
  const families = new MemoryFamilyStore({ clock });
  const index = new MemoryAccountIndex({ clock });
  const outbox = new MemoryOutbox({ database });
  const cached: RevocationKey[] = [];
  const process = (own: Own = {}) =>
    createRevocation({
      denylist: {
        revoke: (keys, expiresAt) => denylist.revoke(keys, expiresAt),
        anyRevoked: own.anyRevoked ?? ((keys) => denylist.anyRevoked(keys)),
        cacheEntries: async (keys) => void cached.push(...keys),
      },
      families: own.families ?? families,
      index,
      unitOfWork: own.unitOfWork ?? new MemoryUnitOfWork({ database, clock }),
      newEvent: createNewEvent({ clock, actor: 'operator' }),
      clock,
      logger: { warn: () => {} },
      ...lifetimes,
    });
  return { clock, database, denylist, families, index, outbox, cached, process, revocation: process() };
}
