/** A token bucket: it holds `burst` tokens, and an empty bucket fills evenly in `perSeconds`. */
export interface BucketRule {
  burst: number;
  perSeconds: number;
}

/** Attempts that may fail. Some are free. After them each wait is twice as long as the wait before, up to a longest wait. */
export interface TriesRule {
  freeTries: number;
  firstWaitSeconds: number;
  longestWaitSeconds: number;
  /** How long after the last one free attempts are forgotten. */
  forgetFreeSeconds: number;
  /** The same, after waits have begun. */
  forgetSeconds: number;
}

export interface TryVerdict {
  /** 0 when the attempt is allowed, else the time until one is. */
  waitMs: number;
  /** Whether an attempt with this key succeeded recently. */
  known: boolean;
}

/**
 * Counters of recent activity, for rate limits. Keys are keyed hashes, so they reveal nothing and can't be presented. A key
 * is used for a bucket or for attempts, never for both. Counters expire when they no longer matter. They may be lost: then
 * counting starts again.
 *
 * Concurrency, on every implementation that processes share: each method is one atomic step. Of any number of parallel
 * `take`s on a full bucket exactly `burst` are allowed; of any number of parallel first `attempt`s exactly `freeTries`.
 * The caller gives the time. A wrong clock never causes a wait that is longer than the longest wait of the rule.
 */
export interface Limits {
  /** Takes one token from the bucket. Gives 0 when there was one, else the milliseconds until there is one. A refusal takes nothing. */
  take(key: string, rule: BucketRule): Promise<number>;
  /** Puts one token back. */
  giveBack(key: string, rule: BucketRule): Promise<void>;
  /** Counts an attempt as failed before it is made. A refused attempt is not counted. */
  attempt(key: string, rule: TriesRule): Promise<TryVerdict>;
  /** Removes one attempt that had no result. */
  withdraw(key: string): Promise<void>;
  /** An attempt succeeded: all attempts are forgotten, and the key is known for `knownSeconds`. */
  forgive(key: string, knownSeconds: number): Promise<void>;
}

/** The milliseconds between two tokens that are added to a bucket. Whole numbers, so that all implementations give the same result. */
export const intervalMs = ({ burst, perSeconds }: BucketRule): number =>
  Math.max(1, Math.round((perSeconds * 1000) / burst));

/** The wait in milliseconds after this number of failed attempts. */
export function waitAfterMs(tries: number, rule: TriesRule): number {
  if (tries < rule.freeTries) return 0;
  const doubled = rule.firstWaitSeconds * 2 ** Math.min(tries - rule.freeTries, 30);
  return Math.min(rule.longestWaitSeconds, doubled) * 1000;
}

/** The milliseconds after the last attempt until all are forgotten. */
export const forgetAfterMs = (tries: number, rule: TriesRule): number =>
  (tries < rule.freeTries ? rule.forgetFreeSeconds : rule.forgetSeconds) * 1000;
