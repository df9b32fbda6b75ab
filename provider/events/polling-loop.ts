export interface PollingLoopOptions {
  /** One step of work. Returns true when it did something and there may be more to do. */
  step(): Promise<boolean>;
  /** Receives the error that a step threw. Must not throw. */
  failed(error: unknown): void;
  /** The pause after the first step that found nothing. It doubles after each further one, up to `maxIdleMs`. */
  minIdleMs: number;
  maxIdleMs: number | (() => number);
}

export interface PollingLoop {
  /** Does nothing when the loop already runs. */
  start(): void;
  /** Ends the current pause. Call it when there is work. Does nothing when the loop does not run. */
  nudge(): void;
  /** Whether the loop was started and not stopped. */
  runs(): boolean;
  /** Resolves when the current step is done. No other step follows. */
  stop(): Promise<void>;
}

/**
 * Creates a loop that repeats `step`. While there is work, it runs the next step at once. While there is none, its
 * pauses become longer.
 */
export function createPollingLoop({ step, failed, minIdleMs, maxIdleMs }: PollingLoopOptions): PollingLoop {
  let running: Promise<void> | undefined;
  let stopping = false;
  let nudged = false;
  let wake = () => {};

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const tryStep = async () => {
    try {
      return await step();
    } catch (error) {
      failed(error);
      return false;
    }
  };

  const longest = () => (typeof maxIdleMs === 'number' ? maxIdleMs : maxIdleMs());

  const run = async () => {
    let idleMs = minIdleMs;
    for (;;) {
      nudged = false;
      const progressed = await tryStep();
      if (stopping) return;
      if (!progressed && !nudged) {
        // Jitter, so that processes that started together don't poll at the same time.
        await pause(idleMs * (0.75 + Math.random() / 2));
        idleMs = Math.min(longest(), idleMs * 2);
      }
      if (progressed || nudged) idleMs = minIdleMs;
    }
  };

  return {
    start: () => {
      stopping = false;
      running ??= run();
    },
    nudge: () => {
      nudged = true;
      wake();
    },
    runs: () => running !== undefined && !stopping,
    stop: async () => {
      stopping = true;
      wake();
      await running;
      running = undefined;
    },
  };
}
