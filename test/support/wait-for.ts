import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** How long to go on asking; 10 s unless told. */
  timeoutMs?: number;
  /** Time between two looks; 20 ms unless told. */
  intervalMs?: number;
  /** What is waited for, for the message. */
  what?: string;
}

/**
 * Asks until the condition gives something truthy, and gives that. A condition that throws counts as 'not yet'.
 * Rejects after `timeoutMs`, saying what was waited for and what the last look gave or threw.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20, what = 'the condition' }: WaitOptions = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const { value, seen } = await look(condition);
    if (value) return value;
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
