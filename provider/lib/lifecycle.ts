import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** Something that is started and stopped with the process. */
export interface Component {
  name: string;
  start?(): Promise<void> | void;
  /** Called once, and only when `start` was begun and didn't fail. */
  stop?(): Promise<void> | void;
  /** How long stopping may take. Default: 10 s. */
  stopSeconds?: number;
}

export interface StopOptions {
  /** How long to keep serving when `phase` says `stopping` already, so that load balancers can look elsewhere first. */
  delaySeconds?: number;
}

/** It serves between the end of `start` and the beginning of `stop`. */
export type Phase = 'starting' | 'serving' | 'stopping';

export interface Lifecycle {
  /** Components start in the order they were added, and stop in the reverse of it. */
  add(component: Component): void;
  /** Rejects with the first failure, after what had started was stopped again. */
  start(): Promise<void>;
  phase(): Phase;
  /**
   * Stops everything that was started; one that fails or takes too long doesn't keep the others from being
   * stopped. Gives the names of those. Called again it gives the same promise.
   */
  stop(options?: StopOptions): Promise<string[]>;
}

const defaultStopSeconds = 10;

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** False when the time was over first. The promise's own failure is passed on. */
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
      // What comes up after all is taken down when it does.
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
