/**
 * A token bucket. It holds at most `burst` tokens. An empty bucket fills evenly and is full after `perSeconds` seconds.
 */
export interface BucketRule {
  burst: number;
  perSeconds: number;
}

/**
 * A limit for attempts that may fail. The first `freeTries` attempts need no wait. After them, each wait is twice as
 * long as the previous one, up to a longest wait.
 */
export interface TriesRule {
  freeTries: number;
  firstWaitSeconds: number;
  longestWaitSeconds: number;
  /** While free attempts remain, all attempts are forgotten this long after the last one. */
  forgetFreeSeconds: number;
  /** The same after all free attempts were used. */
  forgetSeconds: number;
}

export interface TryVerdict {
  /** 0 when the attempt is allowed, otherwise the time until the next attempt is allowed. */
  waitMs: number;
  /** The version for which the key is known, because an attempt succeeded recently; undefined when it is not known. */
  knownFor: number | undefined;
}

/**
 * Counters of recent activity, for rate limits. Keys are keyed hashes, so they do not reveal what is counted. A key is
 * used either for a bucket or for attempts, never for both. A counter expires when it no longer has an effect. Counters
 * may be lost; then counting starts again.
 *
 * Concurrency, on every implementation that processes share: each method is one atomic step. Of any number of parallel
 * `take`s on a full bucket, exactly `burst` are allowed. Of any number of parallel first `attempt`s, exactly
 * `freeTries` are allowed. The caller gives the time. A wrong clock never causes a wait that is longer than the longest
 * wait of the rule.
 */
export interface Limits {
  /**
   * Takes one token from the bucket. Gives 0 when there was one, otherwise the milliseconds until there is one. A
   * refused call takes no token.
   */
  take(key: string, rule: BucketRule): Promise<number>;
  /** Puts one token back. */
  giveBack(key: string, rule: BucketRule): Promise<void>;
  /** Counts an attempt as failed before it is made. A refused attempt is not counted. */
  attempt(key: string, rule: TriesRule): Promise<TryVerdict>;
  /** Removes one attempt that had no result. */
  withdraw(key: string): Promise<void>;
  /**
   * Call it when an attempt succeeded. All attempts are forgotten, and for `knownSeconds` the key is known for this
   * version of what was tried: an integer, at least 0. Without a version, the key is not known.
   */
  forgive(key: string, version: number | undefined, knownSeconds: number): Promise<void>;
  /** The same as `knownFor` of `attempt`. It counts nothing. */
  knownFor(key: string): Promise<number | undefined>;
}

/**
 * The milliseconds between two tokens that are added to a bucket. A whole number, so that all implementations give the
 * same result.
 */
export const intervalMs = ({ burst, perSeconds }: BucketRule): number =>
  Math.max(1, Math.round((perSeconds * 1000) / burst));

/** The wait in milliseconds after this number of failed attempts. */
export function waitAfterMs(tries: number, rule: TriesRule): number {
  if (tries < rule.freeTries) return 0;
  const doubled = rule.firstWaitSeconds * 2 ** Math.min(tries - rule.freeTries, 30);
  return Math.min(rule.longestWaitSeconds, doubled) * 1000;
}

/** All attempts are forgotten this many milliseconds after the last one. */
export const forgetAfterMs = (tries: number, rule: TriesRule): number =>
  (tries < rule.freeTries ? rule.forgetFreeSeconds : rule.forgetSeconds) * 1000;
