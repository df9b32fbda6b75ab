import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Tracing } from '../lib/tracing.ts';

export interface HashingPoolOptions {
  /**
   * The number of jobs that run at the same time, at least 1. More than the number of cores is not faster. Hashing runs
   * on the threads of libuv (4, unless UV_THREADPOOL_SIZE sets another number). These threads also read files and resolve
   * host names. So this number must be less than the number of threads. Otherwise all of that work
   * waits for hashes.
   */
  concurrency: number;
  /** The number of jobs that may wait in addition, at least 0. */
  queueLimit: number;
  clock: Clock;
  /** Default: nothing is measured. */
  metrics?: Partial<Pick<Metrics, 'hashingQueueDepth' | 'hashingWait' | 'hashingRefused'>> | undefined;
  /**
   * Called after each job, in the context of the job's request: the time that it waited, and the time that it then
   * took.
   */
  onHashed?: ((times: { waitMs: number; workMs: number }) => void) | undefined;
  /** Records each job as a span of the current request, with its work as a child span. Default: no spans. */
  tracing?: Tracing | undefined;
}

export interface HashingPool {
  /**
   * Runs the job when the jobs before it have started and there is capacity. Throws `overloaded` at once when the queue
   * is full.
   */
  run<T>(job: () => Promise<T>): Promise<T>;
  /**
   * Throws `overloaded` when `run` would. Call it before other work, so that a request that will be refused costs
   * little.
   */
  ensureRoom(): void;
}

const retryAfterSeconds = 2;

/**
 * Creates a pool for jobs that each use a whole core. A bounded number of jobs runs at the same time, and a bounded
 * number waits.
 */
export function createHashingPool(options: HashingPoolOptions): HashingPool {
  const { concurrency, queueLimit, clock, metrics, onHashed, tracing } = options;
  const queue: (() => void)[] = [];
  let running = 0;

  const ensureRoom = () => {
    if (running < concurrency || queue.length < queueLimit) return;
    metrics?.hashingRefused?.inc();
    throw new GatehouseError('overloaded', 'Too many people sign in right now. Try again in a moment.', {
      retryAfterSeconds,
    });
  };

  const turn = () =>
    new Promise<void>((start) => {
      queue.push(() => {
        metrics?.hashingQueueDepth?.set(queue.length);
        start();
      });
      metrics?.hashingQueueDepth?.set(queue.length);
    });

  const release = () => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  const runInTurn = async <T>(job: () => Promise<T>): Promise<T> => {
    ensureRoom();
    const arrivedAt = clock.now();
    if (running < concurrency) running += 1;
    else await turn();
    const startedAt = clock.now();
    const waitMs = startedAt - arrivedAt;
    try {
      metrics?.hashingWait?.observe(waitMs / 1000);
      return await (tracing ? tracing.span('hash password: work', {}, job) : job());
    } finally {
      release();
      onHashed?.({ waitMs, workMs: clock.now() - startedAt });
    }
  };

  return {
    ensureRoom,
    run: (job) => (tracing ? tracing.span('hash password', {}, () => runInTurn(job)) : runInTurn(job)),
  };
}

/** More costly checks than this wait for so long that people give up. */
const costlyQueueLimit = 8;

/**
 * A lane for jobs that take much longer than others, such as checks of costly hashes: it runs one at a time, so that two of them
 * never hold all slots of `pool`. The job takes a slot of the pool, so that there are never more threads in use than
 * `concurrency` says. A pool with one slot has none to spare: there the job runs beside it.
 *
 * @param options those of `pool`
 */
export function createCostlyLane(
  pool: Pick<HashingPool, 'run'>,
  { concurrency, queueLimit, clock, metrics, onHashed, tracing }: HashingPoolOptions,
): Pick<HashingPool, 'run'> {
  const own = { concurrency: 1, queueLimit: Math.min(queueLimit, costlyQueueLimit), clock };
  const counted = metrics?.hashingRefused && { hashingRefused: metrics.hashingRefused };
  if (concurrency === 1) return createHashingPool({ ...own, metrics: counted, onHashed, tracing });
  // The pool reports the work, and the time that the job waits there.
  const waited = ({ waitMs }: { waitMs: number }) => onHashed?.({ waitMs, workMs: 0 });
  const lane = createHashingPool({ ...own, metrics: counted, onHashed: waited });
  return { run: (job) => lane.run(() => pool.run(job)) };
}
