import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { RevocationStore } from '../../provider/ports/revocation-store.ts';
import { createCachedDenylist } from '../../provider/revocation/cached-denylist.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryRevocationCache } from '../support/memory/revocation-cache.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';

// The test controls the timers, so the load of the machine doesn't matter.
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const clock = createManualClock();
const until = clock.now() + 900_000;
const lookMs = 300;

/** A denylist that reads the revocations in force at once, but returns them after a delay. */
class SlowDenylist extends MemoryRevocationStore {
  override async inForce(page: Parameters<RevocationStore['inForce']>[0]) {
    const found = await super.inForce(page);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    return found;
  }
}

test('a revocation that its process could not copy is in the copy in less than a second, at any time between two reads', async () => {
  const lasting = new SlowDenylist({ clock });
  const copy = new MemoryRevocationCache({ clock });
  const logger = { info: () => {}, warn: () => {} };
  const denylist = createCachedDenylist({ store: lasting, cache: copy, logger, clock });
  denylist.start();
  await jest.advanceTimersByTimeAsync(5000);
  for (let offsetMs = 0; offsetMs < 1000; offsetMs += 50) {
    await jest.advanceTimersByTimeAsync(50);
    await lasting.revoke([`jti:${offsetMs}`], until);
    await jest.advanceTimersByTimeAsync(999);
    expect(await copy.anyRevoked([`jti:${offsetMs}`])).toBe(true);
  }
  const stopped = denylist.stop();
  await jest.advanceTimersByTimeAsync(lookMs);
  await stopped;
});

test('after a lost connection the copy is not trusted, and everything is copied again', async () => {
  const lasting = new MemoryRevocationStore({ clock });
  const copy = new MemoryRevocationCache({ clock });
  const trusted: boolean[] = [];
  const denylist = createCachedDenylist({
    store: lasting,
    cache: copy,
    logger: { info: () => {}, warn: () => {} },
    clock,
    metrics: { denylistCopyTrusted: { set: (value) => void trusted.push(value === 1) } },
  });
  const { revoke, anyRevoked } = denylist;
  denylist.start();
  await jest.advanceTimersByTimeAsync(1);
  await revoke(['jti:a'], until);
  // The revocation is too old for a read of recent revocations.
  clock.advance(120_000);
  await jest.advanceTimersByTimeAsync(1000);
  denylist.markStale('its connection was lost');
  expect(trusted).toEqual([true, false]);
  copy.loseData();
  await copy.declareComplete(await copy.begin());
  expect(await anyRevoked(['jti:a'])).toBe(true);
  await jest.advanceTimersByTimeAsync(1000);
  expect(trusted).toEqual([true, false, true]);
  expect(await copy.anyRevoked(['jti:a'])).toBe(true);
  await denylist.stop();
});
