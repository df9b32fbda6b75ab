/** So many at once; what was taken comes back evenly, all of it in so many seconds. */
export interface BucketRule {
  burst: number;
  perSeconds: number;
}

/** Tries that may fail: some free, then each waits twice as long as the one before, up to a longest wait. */
export interface TriesRule {
  freeTries: number;
  firstWaitSeconds: number;
  longestWaitSeconds: number;
  /** So long after the last of them free tries are forgotten. */
  forgetFreeSeconds: number;
  /** The same, once waits have begun. */
  forgetSeconds: number;
}

export interface TryVerdict {
  /** 0 when the try may be made, else how long until one may be. */
  waitMs: number;
  /** Whether a try under this key was forgiven lately. */
  known: boolean;
}

/**
 * How much was done lately under a key, for limits. Keys hold nothing that could be shown or presented: they are keyed
 * hashes. A key is used for a bucket or for tries, never for both. What is held goes by itself when it no longer matters,
 * and may be lost: then everybody begins anew.
 *
 * Concurrency, on every implementation that processes share: each method is one atomic step. Of any number of parallel
 * `take`s on a full bucket exactly `burst` are allowed; of any number of parallel first `attempt`s exactly `freeTries`.
 * Times are the caller's: a clock that is wrong makes nobody wait for longer than the rule's longest wait.
 */
export interface Limits {
  /** Takes one from the bucket. 0 when there was one, else in how many milliseconds there will be. Being refused costs nothing. */
  take(key: string, rule: BucketRule): Promise<number>;
  /** Puts one back. */
  giveBack(key: string, rule: BucketRule): Promise<void>;
  /** Counts a try before it is made, as a failed one. Being refused counts nothing. */
  attempt(key: string, rule: TriesRule): Promise<TryVerdict>;
  /** Takes back one try that came to nothing. */
  withdraw(key: string): Promise<void>;
  /** A try was right: all are forgotten, and the key is known for so long. */
  forgive(key: string, knownSeconds: number): Promise<void>;
}

/** How often one is added to a bucket. Whole milliseconds, so that all implementations count alike. */
export const intervalMs = ({ burst, perSeconds }: BucketRule): number =>
  Math.max(1, Math.round((perSeconds * 1000) / burst));

/** How long a try waits after so many failed ones. */
export function waitAfterMs(tries: number, rule: TriesRule): number {
  if (tries < rule.freeTries) return 0;
  const doubled = rule.firstWaitSeconds * 2 ** Math.min(tries - rule.freeTries, 30);
  return Math.min(rule.longestWaitSeconds, doubled) * 1000;
}

/** How long after the last of so many tries they are forgotten. */
export const forgetAfterMs = (tries: number, rule: TriesRule): number =>
  (tries < rule.freeTries ? rule.forgetFreeSeconds : rule.forgetSeconds) * 1000;
