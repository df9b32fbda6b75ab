import { expect, test } from '@jest/globals';
import { MemoryLimits } from '../../../adapters/memory/limits.ts';
import { limitsContract } from '../../contract/limits.ts';
import { createManualClock } from '../../support/manual-clock.ts';

limitsContract('MemoryLimits', async () => {
  const clock = createManualClock();
  return { store: new MemoryLimits({ clock }), clock, close: async () => {} };
});

test('memory is bounded: the least recently used entries are dropped first', async () => {
  const limits = new MemoryLimits({ clock: createManualClock(), most: 100 });
  const rule = { burst: 1, perSeconds: 3600 };
  await limits.take('early', rule);
  for (let index = 0; index < 99; index += 1) await limits.take(`key ${index}`, rule);
  expect(await limits.take('early', rule)).toBeGreaterThan(0);
  for (let index = 0; index < 10_000; index += 1) await limits.take(`more ${index}`, rule);
  expect(await limits.take('more 9999', rule)).toBeGreaterThan(0);
  expect(await limits.take('early', rule)).toBe(0);
  for (let index = 0; index < 10_000; index += 1) await limits.forgive(`pair ${index}`, 0, 3600);
  expect(limits.size).toBe(200);
});
