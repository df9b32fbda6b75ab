import { expect, test } from '@jest/globals';
import { MemoryLimits } from '../../adapters/memory/limits.ts';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import { GatehouseError } from '../../provider/lib/errors.ts';
import { createLogger } from '../../provider/lib/logger.ts';
import { createMetrics } from '../../provider/lib/metrics.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createRateLimits } from '../../provider/rate-limits/rate-limits.ts';
import { createManualClock } from '../support/manual-clock.ts';

const tryAt = (email: string) => ({ email, tokenVersion: async () => 1 });

/** The limits with a hashing pool, and pauses that advance the clock. */
function createWorld() {
  const clock = createManualClock();
  const limits = createRateLimits({
    config: { limitsPercent: 100, issuer: 'https://id.example.com' },
    limits: new MemoryLimits({ clock }),
    localLimits: new MemoryLimits({ clock }),
    serverKeys: createServerKeys(['a-secret-for-tests-of-the-limits']),
    clock,
    logger: createLogger({ level: 'error' }),
    metrics: createMetrics({ version: 'test' }),
    pause: async (ms) => clock.advance(ms),
  });
  const waits: number[] = [];
  const pool = createHashingPool({
    concurrency: 1,
    queueLimit: 10,
    clock,
    metrics: {
      hashingQueueDepth: { set: () => {} },
      hashingWait: { observe: (seconds) => void waits.push(seconds) },
      hashingRefused: { inc: () => {} },
    },
    onHashed: limits.hashed,
  });
  const isHashed = async (hashMs: number, waitMs: number) => {
    const other = async () => {
      await Promise.resolve();
      clock.advance(waitMs);
    };
    const busy = waitMs > 0 ? pool.run(other) : undefined;
    await pool.run(async () => clock.advance(hashMs), hashMs);
    await busy;
  };
  /** The duration of a refusal for the given duration of the hash and of the wait in the queue. */
  const refusedAfter = async (hashMs: number, waitMs = 0) => {
    const startedAt = clock.now();
    const refused = limits.signIn(tryAt(`${startedAt}@example.com`), async () => {
      await isHashed(hashMs, waitMs);
      throw new GatehouseError('invalid_credentials', 'wrong');
    });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials' });
    return clock.now() - startedAt;
  };
  return { limits, clock, waits, refusedAfter };
}

test('a costly hash makes all refusals later', async () => {
  const { refusedAfter } = createWorld();
  expect(await refusedAfter(25)).toBe(1000);
  expect(await refusedAfter(900)).toBe(2000);
  expect(await refusedAfter(25)).toBe(2000);
});

test('the time in the queue delays a refusal by that time, and so shows nothing about the hash', async () => {
  const { refusedAfter, waits } = createWorld();
  for (const hashMs of [25, 250]) expect(await refusedAfter(hashMs, 400)).toBe(1400);
  expect(waits).toEqual([0, 0.4, 0, 0.4]);
});

test('a sign-up is answered at a step, whether it made an account or not; a right password at once', async () => {
  const { limits, clock } = createWorld();
  const startedAt = clock.now();
  await limits.signUp(async () => {
    clock.advance(25);
  });
  expect(clock.now() - startedAt).toBe(1000);
  await limits.signIn(tryAt('ann@example.com'), async () => {
    clock.advance(25);
  });
  expect(clock.now() - startedAt).toBe(1025);
});
