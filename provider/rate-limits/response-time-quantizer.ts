import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as timer } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';

export interface ResponseTimeQuantizerDeps {
  clock: Clock;
  /** For tests; waits so many milliseconds. */
  pause?: ((ms: number) => Promise<unknown>) | undefined;
}

export interface ResponseTimeQuantizer {
  /**
   * Runs `work`, and lets its outcome out at the next step of the grid since the begin. Time spent in the queue is left out:
   * the grid begins that much later, or a busy server would tell long work from short by which step it misses.
   * @param isOnGrid whether this outcome has to wait; others go out at once
   */
  run<T>(work: () => Promise<T>, isOnGrid: (outcome: { error?: unknown }) => boolean): Promise<T>;
  /** Work waited its turn for so long; told within `run`. */
  waited(ms: number): void;
  /** A hash took so long, its wait left out. */
  worked(ms: number): void;
}

/**
 * Above what a hash takes at usual settings, imported ones included (bcrypt of cost 13, on a slow core), since a process
 * that has just begun has seen none yet; and no longer than a person who mistyped bears to wait.
 */
const shortestStepMs = 1000;
const longestStepMs = 8000;

/** No hash may come nearer to the step than this, or some would miss it. */
const mostOfStep = 0.8;

/**
 * A failed sign-in is answered at steps of a fixed grid above the slowest hash in use, so that neither the kind of an
 * account's hash nor whether there is an account shows in how long it takes (DESIGN §4). The slowest is remembered for as
 * long as the process lives: an imported hash that was forgotten would be told apart when it is met again.
 */
export function createResponseTimeQuantizer({
  clock,
  pause = timer,
}: ResponseTimeQuantizerDeps): ResponseTimeQuantizer {
  const waits = new AsyncLocalStorage<{ ms: number }>();
  let step = shortestStepMs;

  return {
    run: (work, isOnGrid) =>
      waits.run({ ms: 0 }, async () => {
        const startedAt = clock.now();
        const untilStep = async () => {
          const spent = Math.max(0, clock.now() - startedAt - (waits.getStore()?.ms ?? 0));
          await pause(step - (spent % step));
        };
        try {
          const result = await work();
          if (isOnGrid({})) await untilStep();
          return result;
        } catch (error) {
          if (isOnGrid({ error })) await untilStep();
          throw error;
        }
      }),
    waited: (ms) => {
      const store = waits.getStore();
      if (store) store.ms += ms;
    },
    worked: (ms) => {
      while (step < longestStepMs && ms > step * mostOfStep) step *= 2;
    },
  };
}
