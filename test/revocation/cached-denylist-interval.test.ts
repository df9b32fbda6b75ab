import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
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

/** Signals that a test sends. */
function createSignals() {
  const woken = new Set<() => void>();
  const state = { arrive: true };
  const send = () => {
    for (const wake of woken) wake();
  };
  return {
    listen: (wake: () => void) => {
      woken.add(wake);
      return { arrives: () => state.arrive, stop: async () => void woken.delete(wake) };
    },
    send,
    lose: () => {
      state.arrive = false;
      send();
    },
  };
}

describe('with signals', () => {
  class CountingStore extends SlowDenylist {
    reads = 0;
    override inForce(page: Parameters<RevocationStore['inForce']>[0]) {
      this.reads += 1;
      return super.inForce(page);
    }
  }

  async function startQuiet() {
    const store = new CountingStore({ clock });
    const cache = new MemoryRevocationCache({ clock });
    const signals = createSignals();
    const logger = { info: () => {}, warn: () => {} };
    const denylist = createCachedDenylist({ store, cache, logger, clock, listen: signals.listen });
    denylist.start();
    await pass(5000);
    store.reads = 0;
    const stop = async () => {
      const stopped = denylist.stop();
      await pass(lookMs);
      await stopped;
    };
    return { store, cache, signals, denylist, stop };
  }

  /** The clock of the denylist and the timers go together here. */
  const pass = async (ms: number) => {
    clock.advance(ms);
    await jest.advanceTimersByTimeAsync(ms);
  };

  test('the store is read rarely at rest, and more often while questions are asked', async () => {
    const { store, denylist, stop } = await startQuiet();
    await pass(600_000);
    expect(store.reads).toBeLessThan(8);
    const asked = denylist.anyRevoked(['jti:a']);
    await pass(lookMs);
    expect(await asked).toBe(false);
    store.reads = 0;
    for (let second = 0; second < 20; second += 1) {
      await pass(1000);
      await denylist.anyRevoked(['jti:a']);
    }
    expect(store.reads).toBeGreaterThan(4);
    expect(store.reads).toBeLessThan(14);
    await stop();
  });

  test('a revocation that its process could not copy is in the copy in less than a second after the signal', async () => {
    const { store, cache, signals, stop } = await startQuiet();
    for (const at of [1, 2, 3]) {
      await pass(70_000 * at);
      await store.revoke([`jti:${at}`], clock.now() + 900_000);
      signals.send();
      await pass(999);
      expect(await cache.anyRevoked([`jti:${at}`])).toBe(true);
    }
    await stop();
  });

  test('recent revocations are copied again and again, because the cache may lose them at a failover', async () => {
    const { store, cache, signals, stop } = await startQuiet();
    await pass(300_000);
    await store.revoke(['jti:b'], clock.now() + 900_000);
    signals.send();
    await pass(10_000);
    cache.forget(['jti:b']);
    await pass(999);
    expect(await cache.anyRevoked(['jti:b'])).toBe(true);
    await stop();
  });

  test('a signal is lost after a long rest: the first question waits for a read of the store', async () => {
    const { store, denylist, stop } = await startQuiet();
    await pass(300_000);
    await store.revoke(['jti:c'], clock.now() + 900_000);
    await pass(11_000);
    const asked = denylist.anyRevoked(['jti:c']);
    await pass(2 * lookMs);
    expect(await asked).toBe(true);
    await stop();
  });

  test('without signals, a revocation is in the copy in less than a second', async () => {
    const { store, cache, signals, stop } = await startQuiet();
    await pass(300_000);
    signals.lose();
    await pass(5000);
    await store.revoke(['jti:d'], clock.now() + 900_000);
    await pass(999);
    expect(await cache.anyRevoked(['jti:d'])).toBe(true);
    await stop();
  });
});
