export interface PollingLoopOptions {
  /** One look. True when something was done and there may be more. */
  step(): Promise<boolean>;
  /** Is told what a step threw; must not throw. */
  failed(error: unknown): void;
  /** The pause after the first look that found nothing; doubles from there. */
  minIdleMs: number;
  maxIdleMs: number;
}

export interface PollingLoop {
  /** Does nothing when it runs already. */
  start(): void;
  /** Ends the pause: there is something to do. */
  nudge(): void;
  /** Resolves when the step in hand is done; none follows. */
  stop(): Promise<void>;
}

/** Looks again at once while there is work, and ever more seldom while there is none. */
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

  const run = async () => {
    let idleMs = minIdleMs;
    for (;;) {
      nudged = false;
      const progressed = await tryStep();
      if (stopping) return;
      if (!progressed && !nudged) {
        // Jitter, so that processes started together don't ask together.
        await pause(idleMs * (0.75 + Math.random() / 2));
        idleMs = Math.min(maxIdleMs, idleMs * 2);
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
    stop: async () => {
      stopping = true;
      wake();
      await running;
      running = undefined;
    },
  };
}
