import { expect, test } from '@jest/globals';
import { MemoryLimits } from '../../adapters/memory/limits.ts';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import { GatehouseError } from '../../provider/lib/errors.ts';
import { createLogger } from '../../provider/lib/logger.ts';
import { createMetrics } from '../../provider/lib/metrics.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createRateLimits } from '../../provider/rate-limits/rate-limits.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** The guard as it is put together, whose pauses move the clock. */
function createWorld() {
  const clock = createManualClock();
  const limits = new MemoryLimits({ clock });
  const guard = createRateLimits({
    config: { limitsPercent: 100, issuer: 'https://id.example.com' },
    ports: { limits, localLimits: limits },
    serverKeys: createServerKeys(['a-secret-for-tests-of-the-guard']),
    clock,
    logger: createLogger({ level: 'error' }),
    metrics: createMetrics({ version: 'test' }),
    pause: async (ms) => clock.advance(ms),
  });
  const { responseTimes } = guard;
  const pool = createHashingPool({ concurrency: 1, queueLimit: 9, clock, worked: responseTimes.worked });
  /** How long a wrong password takes whose hash takes so long, after it waited for its turn. */
  const refusedAfter = async (hashMs: number, waitMs = 0) => {
    const startedAt = clock.now();
    const refused = guard.signIn({ email: `${startedAt}@example.com` }, async () => {
      clock.advance(waitMs);
      responseTimes.waited(waitMs);
      await pool.run(async () => clock.advance(hashMs));
      throw new GatehouseError('invalid_credentials', 'wrong');
    });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials' });
    return clock.now() - startedAt;
  };
  return { guard, clock, refusedAfter };
}

test('the grid hears how long hashes take: a slow one makes all refusals later', async () => {
  const { refusedAfter } = createWorld();
  expect(await refusedAfter(25)).toBe(1000);
  expect(await refusedAfter(900)).toBe(2000);
  expect(await refusedAfter(25)).toBe(2000);
});

test('and how long they waited for their turn, which tells nothing of the hash', async () => {
  const { refusedAfter } = createWorld();
  for (const hashMs of [25, 250]) expect(await refusedAfter(hashMs, 840)).toBe(1840);
});

test('a sign-up is answered on the grid, whether it made an account or not; a right password at once', async () => {
  const { guard, clock } = createWorld();
  const startedAt = clock.now();
  await guard.signUp(async () => {
    clock.advance(25);
  });
  expect(clock.now() - startedAt).toBe(1000);
  await guard.signIn({ email: 'ann@example.com' }, async () => {
    clock.advance(25);
  });
  expect(clock.now() - startedAt).toBe(1025);
});
