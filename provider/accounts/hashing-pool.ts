import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';

export interface HashingPoolMetrics {
  /** How many jobs wait now. */
  queueDepth(jobs: number): void;
  /** How long a job waited before it started. */
  waited(seconds: number): void;
  /** A job was turned away. */
  refused(): void;
}

export interface HashingPoolOptions {
  /**
   * How many jobs run at once, at least 1. More than there are cores gain nothing. Hashing runs on libuv's
   * threads (4 unless UV_THREADPOOL_SIZE says otherwise), which also read files, look up names and sign
   * tokens: all of those wait behind hashes when this isn't less than the number of threads.
   */
  concurrency: number;
  /** How many more may wait, at least 0. */
  queueLimit: number;
  clock: Clock;
  metrics?: HashingPoolMetrics;
}

export interface HashingPool {
  /**
   * Runs the job when its turn comes, first come, first served. A caller whose signal aborts while it waits
   * leaves the queue and gets the signal's reason; a job that started is finished.
   * Throws `overloaded` at once when the queue is full.
   */
  run<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface BoundedHashingPool extends HashingPool {
  /**
   * Throws `overloaded` when a job would be turned away now. For who does other work before: what is refused anyway should
   * be refused before it costs anything.
   */
  ensureRoom(): void;
}

const retryAfterSeconds = 2;

/** Work that takes a core each, a bounded number at once and a bounded number waiting. */
export function createHashingPool(options: HashingPoolOptions): BoundedHashingPool {
  const { takeSlot, ensureRoom } = createSlots(options);
  return {
    ensureRoom,
    run: async (job, signal) => {
      const release = await takeSlot(signal);
      try {
        return await job();
      } finally {
        release();
      }
    },
  };
}

function createSlots({ concurrency, queueLimit, clock, metrics }: HashingPoolOptions) {
  const queue: (() => void)[] = [];
  let running = 0;

  const release = () => {
    const next = queue.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  const wait = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        queue.splice(queue.indexOf(start), 1);
        metrics?.queueDepth(queue.length);
        reject(signal?.reason);
      };
      const start = () => {
        signal?.removeEventListener('abort', leave);
        metrics?.queueDepth(queue.length);
        resolve();
      };
      queue.push(start);
      signal?.addEventListener('abort', leave, { once: true });
      metrics?.queueDepth(queue.length);
    });

  const ensureRoom = () => {
    if (running >= concurrency && queue.length >= queueLimit) throw overloaded(metrics);
  };

  const takeSlot = async (signal: AbortSignal | undefined): Promise<() => void> => {
    signal?.throwIfAborted();
    const since = clock.now();
    ensureRoom();
    if (running < concurrency) running += 1;
    else await wait(signal);
    metrics?.waited((clock.now() - since) / 1000);
    return release;
  };

  return { takeSlot, ensureRoom };
}

function overloaded(metrics: HashingPoolMetrics | undefined): GatehouseError {
  metrics?.refused();
  return new GatehouseError('overloaded', 'Too many people sign in right now. Try again in a moment.', {
    retryAfterSeconds,
  });
}
