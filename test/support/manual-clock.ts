import type { Clock } from '../../provider/lib/clock.ts';

export interface ManualClock extends Clock {
  /** Advances the time by this number of milliseconds. */
  advance(ms: number): void;
  /** Sets the time, in milliseconds since the epoch. */
  set(ms: number): void;
}

/** A clock that moves only on request. Default start: 2026-01-01T00:00:00Z, in milliseconds since the epoch. */
export function createManualClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    set: (ms) => {
      now = ms;
    },
  };
}
