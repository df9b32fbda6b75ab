import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Tracing } from '../lib/tracing.ts';

export interface HashingPoolMetrics {
  /** How many jobs wait now. */
  queueDepth(jobs: number): void;
  /** How long a job waited before it started. */
  waited(seconds: number): void;
  /** A job was refused. */
  refused(): void;
}

export interface HashingPoolOptions {
  /**
   * How many jobs run at once, at least 1. More than there are cores gain nothing. Hashing runs on libuv's threads (4 unless
   * UV_THREADPOOL_SIZE says otherwise), which also read files and look up names: those wait behind hashes when this is not
   * less than the number of threads.
   */
  concurrency: number;
  /** How many more may wait, at least 0. */
  queueLimit: number;
  clock: Clock;
  metrics?: HashingPoolMetrics;
  /** Called with the time of each job in milliseconds, its wait left out. */
  worked?: (ms: number) => void;
  /** Makes a span of each job, and one of its work. */
  tracing?: Tracing | undefined;
}

export interface HashingPool {
  /**
   * Runs the job when its turn comes, first come, first served.
   * @throws GatehouseError `overloaded` at once when the queue is full
   */
  run<T>(job: () => Promise<T>): Promise<T>;
  /**
   * Throws `overloaded` when a job would be refused now. For callers that do other work first: a request that will be
   * refused should be refused before it costs anything.
   */
  ensureRoom(): void;
}

const retryAfterSeconds = 2;

/** Work that takes a core each: a bounded number at once, and a bounded number waiting. */
export function createHashingPool(options: HashingPoolOptions): HashingPool {
  const { concurrency, queueLimit, clock, metrics, worked, tracing } = options;
  const queue: (() => void)[] = [];
  let running = 0;

  const ensureRoom = () => {
    if (running < concurrency || queue.length < queueLimit) return;
    metrics?.refused();
    throw new GatehouseError('overloaded', 'Too many people sign in right now. Try again in a moment.', {
      retryAfterSeconds,
    });
  };

  const takeSlot = async () => {
    const since = clock.now();
    ensureRoom();
    if (running < concurrency) running += 1;
    else {
      const turn = new Promise<void>((resolve) => queue.push(resolve));
      metrics?.queueDepth(queue.length);
      await turn;
      metrics?.queueDepth(queue.length);
    }
    metrics?.waited((clock.now() - since) / 1000);
  };

  const releaseSlot = () => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  const timed = async <T>(job: () => Promise<T>): Promise<T> => {
    const startedAt = clock.now();
    try {
      return await job();
    } finally {
      worked?.(clock.now() - startedAt);
    }
  };

  const run = async <T>(job: () => Promise<T>): Promise<T> => {
    await takeSlot();
    try {
      return await timed(job);
    } finally {
      releaseSlot();
    }
  };

  return {
    ensureRoom,
    run: (job) =>
      tracing
        ? tracing.span('hash password', {}, () => run(() => tracing.span('hash password: work', {}, job)))
        : run(job),
  };
}
