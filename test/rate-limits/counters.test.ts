import { expect, test } from '@jest/globals';
import { MemoryLimits } from '../../adapters/memory/limits.ts';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import type { Limits } from '../../provider/ports/limits.ts';
import { createCounters } from '../../provider/rate-limits/counters.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait-for.ts';

const bucket = { burst: 3, perSeconds: 3600 };
const tries = {
  freeTries: 2,
  firstWaitSeconds: 5,
  longestWaitSeconds: 60,
  forgetFreeSeconds: 600,
  forgetSeconds: 600,
};

/** A shared store that can fail, with the log lines and metrics about it. */
function createWorld() {
  const clock = createManualClock();
  const shared = new MemoryLimits({ clock });
  const store = { fails: undefined as Error | undefined, calls: 0 };
  const away = new Proxy(shared, {
    get:
      (target, name) =>
      async (...args: unknown[]) => {
        store.calls += 1;
        if (store.fails) throw store.fails;
        return Reflect.apply(Reflect.get(target, name, target), target, args);
      },
  }) as Limits;
  const reports: unknown[] = [];
  const logger = {
    info: (_fields: object, message: string) => void reports.push(`info: ${message}`),
    warn: (_fields: object, message: string) => void reports.push(`warn: ${message}`),
  };
  const { limits } = createCounters({
    shared: away,
    local: new MemoryLimits({ clock }),
    keys: createServerKeys(['a-secret-for-tests-of-the-limits']),
    percent: 100,
    clock,
    logger,
    metrics: { limitsLocal: { set: (value) => void reports.push(value === 1) } },
  });
  return { clock, store, reports, limits };
}

const warned = 'warn: rate limit store lost: each process counts for itself';
const back = 'info: rate limit store is back: all processes count together';

test.each([
  ['is unreachable', new StoreUnavailable('Redis', new Error('gone'))],
  ['refuses', new Error('Redis refused a command')],
])('while the store %s the same rules apply in this process, which is logged once', async (_how, error) => {
  const { store, reports, limits } = createWorld();
  await limits.take('k', bucket);
  store.fails = error;
  const waits = [];
  for (let index = 0; index < 5; index += 1) waits.push(await limits.take('k', bucket));
  expect(waits).toEqual([0, 0, 0, 1_200_000, 1_200_000]);
  await limits.giveBack('k', bucket);
  expect(await limits.take('k', bucket)).toBe(0);
  await limits.attempt('p', tries);
  await limits.attempt('p', tries);
  expect(await limits.attempt('p', tries)).toEqual({ waitMs: 5000, knownFor: undefined });
  await limits.withdraw('p');
  expect(await limits.attempt('p', tries)).toMatchObject({ waitMs: 0 });
  await limits.forgive('p', 3, 60);
  expect(await limits.attempt('p', tries)).toEqual({ waitMs: 0, knownFor: 3 });
  expect(reports).toEqual([true, warned]);
});

test('no request waits for a store that is known to be lost; it is tried in parallel, at most every two seconds', async () => {
  const { clock, store, limits } = createWorld();
  store.fails = new StoreUnavailable('Redis', new Error('gone'));
  await limits.take('k', bucket);
  expect(store.calls).toBe(1);
  for (let index = 0; index < 10; index += 1) await limits.take('k', bucket);
  expect(store.calls).toBe(1);
  clock.advance(2000);
  await Promise.all(Array.from({ length: 10 }, () => limits.take('k', bucket)));
  expect(store.calls).toBe(2);
});

test('the store counts again when it is reachable, which is logged', async () => {
  const { clock, store, reports, limits } = createWorld();
  for (let index = 0; index < 3; index += 1) await limits.take('k', bucket);
  store.fails = new StoreUnavailable('Redis', new Error('gone'));
  expect(await limits.take('k', bucket)).toBe(0);
  store.fails = undefined;
  expect(await limits.take('k', bucket)).toBe(0);
  clock.advance(2000);
  expect(await limits.take('k', bucket)).toBe(0);
  await waitFor(() => reports.length === 4);
  expect(await limits.take('k', bucket)).toBeGreaterThan(0);
  expect(reports).toEqual([true, warned, false, back]);
});
