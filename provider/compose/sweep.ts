import type { Clock } from '../lib/clock.ts';
import type { ExpiredRows } from '../ports/expired-rows.ts';

export interface SweepLogger {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface SweepDeps {
  expired: ExpiredRows[];
  clock: Clock;
  /** From the end of one pass to the start of the next, give or take a quarter. */
  intervalSeconds: number;
  /** How many rows one short transaction deletes at most. */
  batch: number;
  logger: SweepLogger;
}

export interface Sweep {
  /** The first pass comes within one interval, at a random time. Does nothing when it was started. */
  start(): void;
  /** Resolves when the batch in hand is done; none follows. */
  stop(): Promise<void>;
  /** One pass over everything; gives how many rows it deleted. A store that fails is logged and left for the next pass. */
  runOnce(): Promise<number>;
}

/** Deletes expired rows, batch by batch, so that no transaction is long. Any number of processes may run one. */
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
