/** An end of a signal that arrives from other processes. */
export interface Listener {
  /** Whether signals arrive at present, as far as known. While they do not, look often. */
  arrives(): boolean;
  stop(): Promise<void>;
}

export interface FollowerOptions {
  /** Looks for news. Its errors are ignored: they are counted where the store is called. */
  look(): Promise<void>;
  /** Opens the listener. Undefined: there are no signals. */
  listen?: ((woken: () => void) => Listener) | undefined;
  /** The longest pause between two looks, in milliseconds. It is asked after each look. */
  pauseMs(signalsArrive: boolean): number;
  /** The shortest pause between two looks, in milliseconds, so that many signals do not keep the process busy. */
  restMs: number;
}

export interface Follower {
  /** The first look follows after a pause or a signal. */
  start(): void;
  /** Looks as soon as the rest after the last look is over. Does nothing when it does not run. */
  wake(): void;
  /** Resolves when no look runs. */
  stop(): Promise<void>;
}

/**
 * Follows something that other processes change: it looks after each signal and, because signals can be lost, after each
 * pause. Looks do not overlap, and each signal is followed by a look that began after it.
 */
export function createFollower({ look, listen, pauseMs, restMs }: FollowerOptions): Follower {
  let running = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  /** When the next look may begin, by `performance.now`. */
  let restedAt = 0;
  let listener: Listener | undefined;

  /** With jitter, so that processes that started together do not look at the same time. */
  const pause = () => Math.max(restMs, pauseMs(listener?.arrives() ?? false) * (0.75 + Math.random() / 4));
  const lookSoon = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      looking = lookNow();
    }, ms).unref();
  };
  const wake = () => {
    again = true;
    if (running && looking === undefined) lookSoon(Math.max(0, restedAt - performance.now()));
  };
  const lookNow = async () => {
    again = false;
    await look().catch(() => {});
    looking = undefined;
    restedAt = performance.now() + restMs;
    if (running) lookSoon(again ? restMs : pause());
  };

  return {
    start: () => {
      running = true;
      listener = listen?.(wake);
      lookSoon(pause());
    },
    wake,
    stop: async () => {
      running = false;
      clearTimeout(timer);
      await Promise.all([looking, listener?.stop()]);
    },
  };
}
