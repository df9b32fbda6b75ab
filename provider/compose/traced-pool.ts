import type { HashingPool } from '../accounts/hashing-pool.ts';
import type { Tracing } from '../lib/tracing.ts';

/** The same pool, whose jobs are spans of the request under way: one with the wait, and in it the work itself. */
export function tracedPool(pool: HashingPool, tracing: Tracing | undefined): HashingPool {
  if (!tracing) return pool;
  return {
    run: (job, signal) =>
      tracing.span('hash password', {}, () =>
        pool.run(() => tracing.span('hash password: work', {}, job), signal),
      ),
  };
}
