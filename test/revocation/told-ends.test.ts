import '../../provider/oidc/runtime-notice.ts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createAudit } from '../../provider/compose/compose-audit.ts';
import type { OutboxEvent } from '../../provider/ports/outbox.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { createRevocation } from '../../provider/revocation/revocation.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryFamilyStore } from '../support/memory/family-store.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

const day = 86_400;
const lifetimes = {
  accessTokenSeconds: 3600,
  refreshTokenSeconds: 30 * day,
  tombstoneSeconds: 90 * day,
  sessionSeconds: 14 * day,
};
const logger = { warn: () => {}, error: () => {} };

function createWorld() {
  const clock = createManualClock();
  const database = new MemoryDatabase();
  const denylist = new MemoryRevocationStore({ database, clock });
  const families = new MemoryFamilyStore({ clock });
  const outbox = new MemoryOutbox({ database });
  const copied: RevocationKey[] = [];
  /** One process: each has its own way to the stores, which may fail. */
  const process = (own: { end?: () => Promise<void>; unitOfWork?: UnitOfWork } = {}) => {
    const { unitOfWork = new MemoryUnitOfWork({ database, clock }) } = own;
    const end = own.end ?? ((id: string, until: number) => families.end(id, until));
    const store = { find: (id: string) => families.find(id), end };
    const audit = createAudit({ unitOfWork, clock, logger, actor: 'operator' });
    return audit.revocation(
      createRevocation({ denylist, families: store, clock, ...lifetimes }),
      async (keys) => void copied.push(...keys),
    );
  };
  const told = async (): Promise<OutboxEvent[]> => {
    const claimed: OutboxEvent[] = [];
    for (;;) {
      const page = await outbox.claim(10, clock.now(), 1000);
      if (page.length === 0) return claimed;
      claimed.push(...page);
      await outbox.markPublished(
        page.map(({ id }) => id),
        clock.now(),
      );
    }
  };
  return { clock, denylist, families, copied, process, told };
}

let world: ReturnType<typeof createWorld>;
beforeEach(async () => {
  world = createWorld();
  const expiresAt = world.clock.now() + day * 1000;
  const stored = { accountId: 'user_a', clientId: 'web', currentHash: 'h', payload: '', expiresAt };
  await world.families.open({ id: 'fam_1', ...stored });
});

const died = () => Promise.reject(new Error('died'));
const session = { uid: 'u1', accountId: 'user_a', sessionId: 'handle', expiresAt: 0 };

describe('an end that is told', () => {
  test('is told when the process dies before the tombstone, once, and is in force', async () => {
    await expect(world.process({ end: died }).endReusedFamily('fam_1')).rejects.toThrow('died');
    expect(await world.denylist.anyRevoked(['family:fam_1'])).toBe(true);
    expect(world.copied).toEqual(['family:fam_1']);
    await world.process().endReusedFamily('fam_1');
    expect(await world.families.find('fam_1')).toBeUndefined();
    expect(await world.told()).toMatchObject([
      {
        type: 'token.reuse_detected',
        subject: 'user_a',
        data: { id: 'user_a', clientId: 'web', familyId: 'fam_1', actor: 'operator' },
      },
    ]);
  });

  test('is not done where it cannot be told, and both is by who asks again', async () => {
    const unable = world.process({ unitOfWork: { run: died } });
    await expect(unable.endFamily('fam_1')).rejects.toThrow('died');
    await expect(unable.endSession(session)).rejects.toThrow('died');
    expect(await world.denylist.inForce({ limit: 9 })).toEqual([]);
    expect(await world.families.find('fam_1')).toBeDefined();
    await world.process().endFamily('fam_1');
    await world.process().endSession(session);
    expect((await world.told()).map(({ type }) => type)).toEqual(['family.ended', 'session.ended']);
  });

  test('is told once by many who end the same at once, and later', async () => {
    const ends = Array.from({ length: 20 }, () => world.process().endReusedFamily('fam_1'));
    await Promise.all([...ends, ...Array.from({ length: 9 }, () => world.process().endSession(session))]);
    await world.process().endReusedFamily('fam_1');
    const told = await world.told();
    expect(told.map(({ type }) => type).sort()).toEqual(['session.ended', 'token.reuse_detected']);
    for (const { id } of told) expect(id).toMatch(/^evt_[\w-]{22}$/);
  });

  test('two families, and two ways to end, are two events', async () => {
    const { clock, families, process, told } = world;
    const stored = { accountId: 'user_a', clientId: 'web', currentHash: 'h', payload: '' };
    await families.open({ ...stored, id: 'fam_2', expiresAt: clock.now() + day * 1000 });
    await process({ end: async () => {} }).endFamily('fam_1');
    await process().endReusedFamily('fam_1');
    await process().endFamily('fam_2');
    expect(new Set((await told()).map(({ id }) => id)).size).toBe(3);
  });

  test('of a family that nobody knows nothing is told, and it is forbidden', async () => {
    await world.process().endFamily('fam_unknown');
    expect(await world.denylist.anyRevoked(['family:fam_unknown'])).toBe(true);
    expect(await world.told()).toEqual([]);
  });
});
