import type { Clock } from '../lib/clock.ts';
import type { ExpiredRows } from '../ports/expired-rows.ts';

export interface SweepLogger {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface SweepDeps {
  expired: ExpiredRows[];
  clock: Clock;
  /** The time from the end of one pass to the start of the next. It varies randomly by up to a quarter. */
  intervalSeconds: number;
  /** The maximum number of rows that one short transaction deletes. */
  batch: number;
  logger: SweepLogger;
}

export interface Sweep {
  /**
   * Starts the sweep. The first pass begins within one interval, at a random time. Does nothing when the sweep was
   * already started.
   */
  start(): void;
  /** Stops the sweep. Resolves when the current batch is done; no other batch follows. */
  stop(): Promise<void>;
  /**
   * Runs one pass over all stores and returns the number of deleted rows. An error of a store is logged, and the next
   * pass tries this store again.
   */
  runOnce(): Promise<number>;
}

/** Deletes expired rows in batches, so that no transaction is long. Any number of processes may run a sweep. */
export function createSweep({ expired, clock, intervalSeconds, batch, logger }: SweepDeps): Sweep {
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();

  const empty = async (rows: ExpiredRows, now: number): Promise<number> => {
    let deleted = 0;
    try {
      for (let last = batch; last >= batch && !stopping; deleted += last) last = await rows.sweep(batch, now);
    } catch (error) {
      logger.warn({ err: error }, 'expired rows not deleted, trying again later');
    }
    return deleted;
  };

  const runOnce = async (): Promise<number> => {
    const now = clock.now();
    let deleted = 0;
    for (const rows of expired) deleted += await empty(rows, now);
    if (deleted > 0) logger.info({ rows: deleted }, 'expired rows deleted');
    return deleted;
  };

  const schedule = (seconds: number) => {
    timer = setTimeout(() => {
      running = runOnce().finally(() => {
        if (!stopping) schedule(intervalSeconds * (0.75 + Math.random() / 2));
      });
    }, seconds * 1000);
    timer.unref();
  };

  return {
    start: () => {
      stopping = false;
      if (timer === undefined) schedule(intervalSeconds * Math.random());
    },
    stop: async () => {
      stopping = true;
      clearTimeout(timer);
      timer = undefined;
      await running;
    },
    runOnce,
  };
}
