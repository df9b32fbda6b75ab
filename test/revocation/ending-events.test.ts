import { beforeEach, describe, expect, test } from '@jest/globals';
import type { OutboxEvent } from '../../provider/ports/outbox.ts';
import { createRevocationWorld, family } from './revocation-world.ts';

const day = 86_400_000;

function createWorld() {
  const world = createRevocationWorld();
  const { clock, outbox } = world;
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
  return { ...world, told };
}

let world: ReturnType<typeof createWorld>;
beforeEach(async () => {
  world = createWorld();
  await world.families.open(family(world.clock.now() + day));
});

/** The families of a process that dies before it writes the tombstone. */
const dying = () => ({ find: (id: string) => world.families.find(id), end: died });
const died = () => Promise.reject(new Error('died'));
const session = { uid: 'u1', accountId: 'user_john', sessionId: 'handle', expiresAt: 0 };

describe('an end with an event', () => {
  test('has one event and is in force, also if the process dies before it writes the tombstone', async () => {
    await expect(world.process({ families: dying() }).endFamily('fam_1', { reused: true })).rejects.toThrow(
      'died',
    );
    expect(await world.denylist.anyRevoked(['family:fam_1'])).toBe(true);
    expect(world.cached).toEqual(['family:fam_1']);
    await world.process().endFamily('fam_1', { reused: true });
    expect(await world.families.find('fam_1')).toBeUndefined();
    expect(await world.told()).toMatchObject([
      {
        type: 'token.reuse_detected',
        subject: 'user_john',
        data: { id: 'user_john', clientId: 'web', familyId: 'fam_1', actor: 'operator' },
      },
    ]);
  });

  test('does not happen if the event cannot be written, and a later call does both', async () => {
    const unable = world.process({ unitOfWork: { run: died } });
    await expect(unable.endFamily('fam_1')).rejects.toThrow('died');
    await expect(unable.endSession(session)).rejects.toThrow('died');
    expect(await world.denylist.inForce({ limit: 9 })).toEqual([]);
    expect(await world.families.find('fam_1')).toBeDefined();
    await world.process().endFamily('fam_1');
    await world.process().endSession(session);
    expect((await world.told()).map(({ type }) => type)).toEqual(['family.ended', 'session.ended']);
  });

  test('has one event for many calls, in parallel and later', async () => {
    const ends = Array.from({ length: 20 }, () => world.process().endFamily('fam_1', { reused: true }));
    await Promise.all([...ends, ...Array.from({ length: 9 }, () => world.process().endSession(session))]);
    await world.process().endFamily('fam_1', { reused: true });
    const told = await world.told();
    expect(told.map(({ type }) => type).sort()).toEqual(['session.ended', 'token.reuse_detected']);
    for (const { id } of told) expect(id).toMatch(/^evt_[\w-]{22}$/);
  });

  test('has one event for each family and each way to end', async () => {
    const { clock, families, process, told } = world;
    await families.open(family(clock.now() + day, 'fam_2'));
    const endless = { find: (id: string) => families.find(id), end: async () => {} };
    await process({ families: endless }).endFamily('fam_1');
    await process().endFamily('fam_1', { reused: true });
    await process().endFamily('fam_2');
    expect(new Set((await told()).map(({ id }) => id)).size).toBe(3);
  });

  test('of an unknown family has no event, and forbids the family', async () => {
    await world.process().endFamily('fam_unknown');
    expect(await world.denylist.anyRevoked(['family:fam_unknown'])).toBe(true);
    expect(await world.told()).toEqual([]);
  });
});
