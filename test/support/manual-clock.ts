import type { Clock } from '../../provider/lib/clock.ts';

export interface ManualClock extends Clock {
  /** Moves the time on by so many milliseconds. */
  advance(ms: number): void;
  /** Sets the time, in milliseconds since the epoch. */
  set(ms: number): void;
}

/** A clock that stands still until it is told. Starts at 2026-01-01T00:00:00Z unless told, in milliseconds since the epoch. */
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
