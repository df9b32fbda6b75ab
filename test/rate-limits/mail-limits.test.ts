import { expect, test } from '@jest/globals';
import { MemoryLimits } from '../../adapters/memory/limits.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createCounters } from '../../provider/rate-limits/counters.ts';
import { createMailLimits } from '../../provider/rate-limits/mail-limits.ts';
import { createManualClock } from '../support/manual-clock.ts';

function createWorld(percent = 100) {
  const clock = createManualClock();
  const store = new MemoryLimits({ clock });
  const counters = createCounters({
    shared: store,
    local: store,
    keys: createServerKeys(['a-secret-for-tests-of-the-limits']),
    percent,
    clock,
    logger: { info: () => {}, warn: () => {} },
    metrics: { limitsLocal: { set: () => {} } },
  });
  return { clock, ...createMailLimits({ counters }) };
}

test('an address gets 20 mails a day, in every spelling, and other addresses get theirs', async () => {
  const { count, clock } = createWorld();
  const verdicts = [];
  for (let index = 0; index < 25; index += 1)
    verdicts.push(await count(index % 2 === 0 ? 'John@Example.com' : 'john@example.com'));
  expect(verdicts).toEqual([
    ...Array.from({ length: 20 }, () => 'allowed'),
    ...Array.from({ length: 5 }, () => 'too_many'),
  ]);
  expect(await count('jane@example.com')).toBe('allowed');
  clock.advance(86_400_000);
  expect(await count('john@example.com')).toBe('allowed');
});

test('beyond the limit in total a mail waits, and a dropped mail uses none of it', async () => {
  // One percent of 20,000.
  const { count } = createWorld(1);
  for (let index = 0; index < 300; index += 1) await count('john@example.com');
  for (let index = 0; index < 180; index += 1)
    expect(await count(`person${index}@example.com`)).toBe('allowed');
  expect(await count('one.more@example.com')).toBeGreaterThan(0);
});
