import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** Something that is started and stopped with the process. */
export interface Component {
  name: string;
  start?(): Promise<void> | void;
  /** Called once, and only when `start` was called and didn't fail. */
  stop?(): Promise<void> | void;
  /** How long stopping may take. Default: 10 s. */
  stopSeconds?: number;
}

export interface StopOptions {
  /** How long to keep serving after `phase` is `stopping`, so that load balancers can remove this process first. */
  delaySeconds?: number;
}

/** The process is `serving` from the end of `start` to the beginning of `stop`. */
export type Phase = 'starting' | 'serving' | 'stopping';

export interface Lifecycle {
  /** Components start in the order in which they were added, and stop in reverse order. */
  add(component: Component): void;
  /** Rejects with the first failure, after all started components were stopped again. */
  start(): Promise<void>;
  phase(): Phase;
  /**
   * Stops all started components. When one fails or takes too long, the others are still stopped. Gives the names of
   * the components that failed or took too long. A second call gives the same promise.
   */
  stop(options?: StopOptions): Promise<string[]>;
}

const defaultStopSeconds = 10;

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Gives false when the time ends before the promise settles. When the promise rejects, this rejects too. */
async function settlesWithin(promise: Promise<unknown>, seconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, false);
  });
  try {
    return await Promise.race([promise.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the work. Rejects with the reason of the signal as soon as it is aborted; then the work is left alone. */
export async function unlessStopped<T>(work: Promise<T>, stopping: AbortSignal | undefined): Promise<T> {
  if (stopping === undefined) return work;
  let stop: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(stopping.reason);
    if (stopping.aborted) stop();
    stopping.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    if (stop !== undefined) stopping.removeEventListener('abort', stop);
  }
}

/** Starts and stops the parts of a process in order. */
export function createLifecycle({ logger, clock }: { logger: Logger; clock: Clock }): Lifecycle {
  const components: Component[] = [];
  const started: Component[] = [];
  const failed: string[] = [];
  let starting: Promise<void> | undefined;
  let stopping: Promise<string[]> | undefined;
  let phase: Phase = 'starting';

  async function stopOne(component: Component): Promise<void> {
    const { name, stopSeconds = defaultStopSeconds } = component;
    const since = clock.now();
    try {
      if (await settlesWithin((async () => component.stop?.())(), stopSeconds)) {
        logger.debug({ component: name, durationMs: clock.now() - since }, 'stopped');
        return;
      }
      logger.warn({ component: name, stopSeconds }, 'not stopped in time');
    } catch (error) {
      logger.warn({ component: name, err: error }, 'failed to stop');
    }
    failed.push(name);
  }

  async function stopStarted(): Promise<void> {
    for (let component = started.pop(); component; component = started.pop()) await stopOne(component);
  }

  function refuseWhenStopping(): void {
    if (stopping) throw new Error('stopped while starting');
  }

  async function startAll(): Promise<void> {
    for (const component of components) {
      refuseWhenStopping();
      const since = clock.now();
      await component.start?.();
      started.push(component);
      logger.debug({ component: component.name, durationMs: clock.now() - since }, 'started');
    }
    refuseWhenStopping();
    phase = 'serving';
  }

  async function stopAll(delaySeconds: number, wasServing: boolean): Promise<string[]> {
    if (wasServing && delaySeconds > 0) await sleep(delaySeconds);
    const begun = (starting ?? Promise.resolve()).catch(() => undefined);
    if (!(await settlesWithin(begun, defaultStopSeconds))) {
      failed.push('start');
      // Components that still start after this time are stopped as soon as `start` ends.
      void begun.then(stopStarted);
    }
    await stopStarted();
    return failed;
  }

  function stop({ delaySeconds = 0 }: StopOptions = {}): Promise<string[]> {
    if (stopping) return stopping;
    const wasServing = phase === 'serving';
    phase = 'stopping';
    stopping = stopAll(delaySeconds, wasServing);
    return stopping;
  }

  async function start(): Promise<void> {
    starting ??= startAll();
    try {
      await starting;
    } catch (error) {
      await stop();
      throw error;
    }
  }

  return { add: (component) => components.push(component), start, phase: () => phase, stop };
}
