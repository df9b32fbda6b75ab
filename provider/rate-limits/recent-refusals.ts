import type { Clock } from '../lib/clock.ts';

/** What was refused lately, remembered in this process: who goes on asking is refused without asking the store. */
export interface RecentRefusals {
  note(key: string, waitMs: number): void;
  /** How long the refusal still lasts; 0 when there is none. */
  waitMs(key: string): number;
}

/** @param most how many are remembered; beyond, the oldest goes, which only costs asking again */
export function createRecentRefusals(clock: Clock, most = 10_000): RecentRefusals {
  const refused = new Map<string, { until: number; waitMs: number }>();
  return {
    note: (key, waitMs) => {
      refused.delete(key);
      refused.set(key, { until: clock.now() + waitMs, waitMs });
      for (const oldest of refused.keys()) {
        if (refused.size <= most) break;
        refused.delete(oldest);
      }
    },
    waitMs: (key) => {
      const known = refused.get(key);
      if (!known) return 0;
      // No longer than it was told, whatever becomes of the clock.
      const left = Math.min(known.until - clock.now(), known.waitMs);
      if (left <= 0) refused.delete(key);
      return Math.max(0, left);
    },
  };
}
