export interface WorkQueueOptions {
  /**
   * Handles one key. Gives the milliseconds after which to handle it again, or undefined. A key is never handled twice
   * at the same time.
   */
  handle(key: string): Promise<number | undefined>;
  /** Receives the error that `handle` threw, and when it is tried again. Must not throw. */
  failed(key: string, error: unknown, retryMs: number): void;
  /** How many keys are handled at the same time. */
  workers: number;
  /** The pause after the first failure of a key. It doubles with each further one. */
  minRetryMs: number;
  maxRetryMs: number;
}

export interface WorkQueue {
  /** Does nothing when the key waits already. While it is handled, it is handled once more afterwards. */
  add(key: string): void;
  /** How many keys wait. */
  depth(): number;
  /** Resolves when the keys that are being handled are done. No other key follows. */
  stop(): Promise<void>;
}

/**
 * Handles keys, such as the names of resources, one after the other and a few at a time. A key holds no data, so any
 * number of changes of a resource cause one look at its current state.
 */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { handle, failed, workers, minRetryMs, maxRetryMs } = options;
  const waiting = new Set<string>();
  const handling = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  let stopped = false;

  const later = (key: string, ms: number) => {
    clearTimeout(timers.get(key));
    // Node runs timers with a longer time at once.
    timers.set(key, setTimeout(() => add(key), Math.min(ms, 2 ** 31 - 1)).unref());
  };

  const handleOne = async (key: string) => {
    try {
      const nextMs = await handle(key);
      failures.delete(key);
      if (nextMs !== undefined && !stopped) later(key, nextMs);
    } catch (error) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const most = Math.min(maxRetryMs, minRetryMs * 2 ** Math.min(count, 20));
      // Jitter, so that keys that failed together are not tried together.
      const retryMs = Math.round(most * (0.5 + Math.random() / 2));
      failed(key, error, retryMs);
      if (!stopped) later(key, retryMs);
    }
  };

  const next = () => {
    for (const key of waiting) {
      if (stopped || handling.size >= workers) return;
      waiting.delete(key);
      const done = handleOne(key).finally(() => {
        handling.delete(key);
        if (again.delete(key)) add(key);
        next();
      });
      handling.set(key, done);
    }
  };

  const add = (key: string) => {
    if (stopped) return;
    clearTimeout(timers.get(key));
    timers.delete(key);
    if (handling.has(key)) again.add(key);
    else waiting.add(key);
    next();
  };

  return {
    add,
    depth: () => waiting.size + again.size,
    stop: async () => {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(handling.values());
    },
  };
}
