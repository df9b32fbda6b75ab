import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as timer } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';

export interface ResponseTimeQuantizer {
  /**
   * Runs `work` and delays its outcome until the next step, counted from the start. Time in the queue of the hashing pool is
   * left out: steps move later by that time. Otherwise, on a busy server, the step that was missed would show how long the
   * work took.
   * @param isDelayed whether this outcome waits for the step; other outcomes are given at once
   */
  run<T>(work: () => Promise<T>, isDelayed: (outcome: { error?: unknown }) => boolean): Promise<T>;
  /** Reports, within `run`, how long a hash waited for its turn and how long it then took. */
  hashed(times: { waitMs: number; workMs: number }): void;
}

/**
 * Longer than a hash takes at usual settings, imported hashes included (bcrypt of cost 13 on a slow core), because a process
 * that has just started has measured none yet. Not longer than a person who mistyped accepts to wait.
 */
const shortestStepMs = 1000;
const longestStepMs = 8000;

/** A hash that takes a larger part of the step than this could miss it, so the step is made longer. */
const mostOfStep = 0.8;

/**
 * A failed sign-in is answered at fixed steps that are longer than the slowest hash in use. So the response time shows
 * neither the kind of an account's hash nor whether the account exists (DESIGN §4). The slowest hash is remembered until the
 * process ends: if it were forgotten, an imported hash would be visible the next time it is verified.
 */
export function createResponseTimeQuantizer({
  clock,
  pause = timer,
}: {
  clock: Clock;
  /** Waits so many milliseconds. Default: a timer. For tests. */
  pause?: ((ms: number) => Promise<unknown>) | undefined;
}): ResponseTimeQuantizer {
  const queued = new AsyncLocalStorage<{ ms: number }>();
  let step = shortestStepMs;

  return {
    run: (work, isDelayed) =>
      queued.run({ ms: 0 }, async () => {
        const startedAt = clock.now();
        const nextStep = async () => {
          const spent = Math.max(0, clock.now() - startedAt - (queued.getStore()?.ms ?? 0));
          await pause(step - (spent % step));
        };
        try {
          const result = await work();
          if (isDelayed({})) await nextStep();
          return result;
        } catch (error) {
          if (isDelayed({ error })) await nextStep();
          throw error;
        }
      }),
    hashed: ({ waitMs, workMs }) => {
      const store = queued.getStore();
      if (store) store.ms += waitMs;
      while (step < longestStepMs && workMs > step * mostOfStep) step *= 2;
    },
  };
}
