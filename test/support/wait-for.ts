import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** How long to keep trying. The default is 10 s. */
  timeoutMs?: number;
  /** The time between two tries. The default is 20 ms. */
  intervalMs?: number;
  /** What the caller waits for. The error message includes it. */
  what?: string;
}

/** What is left of a type without the values that are not truthy. */
type Truthy<T> = Exclude<T, false | undefined | null | 0 | ''>;

/**
 * Calls the condition until it returns a truthy value, and returns that value. A condition that throws counts as
 * 'not yet'. Rejects after `timeoutMs` with `what` and with what the last try returned or threw.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20, what = 'the condition' }: WaitOptions = {},
): Promise<Truthy<T>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const { value, seen } = await look(condition);
    if (value) return value as Truthy<T>;
    if (performance.now() >= end)
      throw new Error(`Waited ${timeoutMs} ms for ${what} in vain; the last look ${seen}.`);
    await pause(intervalMs);
  }
}

async function look<T>(condition: () => T | Promise<T>): Promise<{ value?: T; seen: string }> {
  try {
    const value = await condition();
    return { value, seen: `gave ${String(value)}` };
  } catch (error) {
    return { seen: `threw: ${error instanceof Error ? error.message || error.name : String(error)}` };
  }
}
