export interface RetryPolicy {
  baseMs: number;
  maxMs: number;
}

/**
 * Milliseconds until the next attempt for an event, given the number of earlier attempts. The delay doubles up to
 * `maxMs`. Half of it is jitter, so that events that failed together are not retried together.
 */
export function retryDelayMs(
  attempts: number,
  { baseMs, maxMs }: RetryPolicy,
  random: () => number = Math.random,
): number {
  const full = Math.min(maxMs, baseMs * 2 ** attempts);
  return Math.round(full * (0.5 + random() / 2));
}
