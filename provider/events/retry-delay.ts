export interface RetryPolicy {
  baseMs: number;
  maxMs: number;
}

/**
 * Milliseconds until an event is tried again, which was tried so often before. Doubles up to `maxMs`; half of
 * it is jitter, so what failed together doesn't come back together.
 */
export function retryDelayMs(
  attempts: number,
  { baseMs, maxMs }: RetryPolicy,
  random: () => number = Math.random,
): number {
  const full = Math.min(maxMs, baseMs * 2 ** attempts);
  return Math.round(full * (0.5 + random() / 2));
}
