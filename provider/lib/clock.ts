/** The time, in milliseconds since the epoch. All code reads the time from a clock, so tests can change it. */
export interface Clock {
  now(): number;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The time in whole seconds since the epoch, as JWT claims count it (RFC 7519 §2, NumericDate). */
export function epochSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
