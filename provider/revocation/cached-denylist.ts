import type { Clock } from '../lib/clock.ts';
import { createFollower, type FollowerOptions } from '../lib/follower.ts';
import type { Component } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Denylist } from '../ports/denylist.ts';
import type { RevocationCache } from '../ports/revocation-cache.ts';
import type { RevocationKey } from '../ports/revocation-keys.ts';
import type { RevocationStore } from '../ports/revocation-store.ts';

export interface CachedDenylistOptions {
  store: RevocationStore;
  /** Undefined without Redis: then every question goes to the store. */
  cache: RevocationCache | undefined;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics?: { denylistCopyTrusted: Pick<Metrics['denylistCopyTrusted'], 'set'> } | undefined;
  /** Receives a signal about each revocation. Undefined: the copies never pause for longer than `intervalMs`. */
  listen?: FollowerOptions['listen'];
  /** The pause between two copies of recent revocations, while there are any or signals do not arrive. */
  intervalMs?: number;
}

export interface CachedDenylist extends Denylist, Component {
  /**
   * Puts entries that are in the store already into the cache, so that other processes see them before their next copy.
   * Never rejects.
   */
  cacheEntries(keys: RevocationKey[], expiresAt: number): Promise<void>;
  /**
   * The cache may lack entries, for example because its connection was lost. It is not asked until it was filled again.
   */
  markStale(reason: string): void;
  /** Fills the cache once, for a start and for tests. Never rejects. */
  fillNow(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/**
 * The pause between two copies. A revocation that another process could not put into the cache is visible here after at
 * most two copies; that has to take less than the one second of guarantee G3.
 */
const defaultIntervalMs = 300;
/** The pauses while signals arrive and nothing was revoked: while questions are asked, and while none are. */
const askedMs = 2000;
const idleMs = 120_000;
/** How far back each copy reads: longer than what a store may lose at a failover. */
const recentSeconds = 60;
/** How long the cache alone is asked while the store cannot be read. */
const longestBehindMs = 10_000;
const pageSize = 500;

/**
 * The denylist: a durable store, and a fast cache that is asked in its place while it is complete.
 *
 * A revocation is in force in this process as soon as the store has it. In other processes it is in force once the
 * cache has it: before `revoke` resolves, or within `intervalMs` when this process could not reach the cache, because
 * every process copies recent revocations again and again: while there are any, or while the signals that announce them
 * do not arrive. A cache that lost its data reports that and is not asked.
 * The same holds for a cache whose connection was lost or that failed, until it was filled again. So the cache never
 * lets a revoked token in after its server came back.
 *
 * When the store cannot be read, the cache does not become incomplete at once. An entry can be missing only in one
 * case: another process reaches the store but not the cache, while this process reaches the cache but not the store. So
 * this process asks only the cache for `longestBehindMs` more. Otherwise, when an overloaded database stalls for a
 * short time, every process would send every question to it. After that time, all questions wait for one read of the
 * missed entries. If the read fails, all of them fail. If it succeeds, the cache is used again.
 */
export function createCachedDenylist(options: CachedDenylistOptions): CachedDenylist {
  return options.cache === undefined
    ? withoutCache(options.store)
    : withCache({ ...options, cache: options.cache });
}

const name = 'denylist';

function withoutCache(store: RevocationStore): CachedDenylist {
  return {
    name,
    revoke: (keys, expiresAt) => store.revoke(keys, expiresAt),
    anyRevoked: (keys) => store.anyRevoked(keys),
    cacheEntries: async () => {},
    markStale: () => {},
    fillNow: async () => {},
    start: () => {},
    stop: async () => {},
  };
}

function withCache(options: CachedDenylistOptions & { cache: RevocationCache }): CachedDenylist {
  const { store, cache, clock, logger, metrics, listen, intervalMs = defaultIntervalMs } = options;
  let isComplete = false;
  let isReportedComplete = false;
  // When the last complete read of the store began.
  let readAt = clock.now();
  // Counts calls of markStale, so that a fill that began before one does not undo it.
  let staleCount = 0;
  let filling: Promise<void> | undefined;
  /** Whether the last copy found entries, so that the cache may still lose them at a failover. */
  let foundRecent = true;
  /** Whether the cache was asked since the last pause began. */
  let asked = false;
  let pausesLong = false;

  const report = (complete: boolean, log: () => void) => {
    if (isReportedComplete === complete) return;
    isReportedComplete = complete;
    metrics?.denylistCopyTrusted.set(complete ? 1 : 0);
    log();
  };
  const reportComplete = () => report(true, () => logger.info({}, 'revocation cache is complete'));

  const markStale = (reason: string) => {
    staleCount += 1;
    isComplete = false;
    report(false, () =>
      logger.warn({ reason }, 'revocation cache is stale, asking postgres until it is filled'),
    );
    follower.wake();
  };
  const cacheFailed = (error: unknown) =>
    markStale(error instanceof Error ? error.message : 'the cache could not be reached');

  /** Negative when the clock was set back: then the age is unknown. */
  const ageMs = () => clock.now() - readAt;
  const isBehind = () => ageMs() < 0 || ageMs() > longestBehindMs;

  const copyPages = async (recent?: number) => {
    const begunAt = clock.now();
    let found = 0;
    let after: RevocationKey | undefined;
    do {
      const page = await store.inForce({ after, limit: pageSize, recentSeconds: recent });
      await cache.put(page).catch((error: unknown) => {
        if (isComplete) cacheFailed(error);
        throw error;
      });
      found += page.length;
      after = page.length === pageSize ? page.at(-1)?.key : undefined;
    } while (after !== undefined);
    readAt = begunAt;
    return found;
  };

  const copyRecent = async () => {
    foundRecent = (await copyPages(ageMs() < 0 ? undefined : recentSeconds + ageMs() / 1000)) > 0;
    if (isComplete) reportComplete();
  };

  const copyEverything = async () => {
    const before = staleCount;
    const begun = await cache.begin();
    await copyPages();
    if (!(await cache.declareComplete(begun)) || before !== staleCount) return;
    isComplete = true;
    foundRecent = true;
    reportComplete();
  };

  const fillOnce = async (): Promise<void> => {
    try {
      await (isComplete ? copyRecent() : copyEverything());
    } catch (error) {
      if (isComplete && isBehind())
        report(false, () => logger.warn({}, 'revocation cache is not used alone, postgres cannot be read'));
      throw error;
    }
  };

  const fillOrJoin = (): Promise<void> => {
    filling ??= fillOnce().finally(() => {
      filling = undefined;
    });
    return filling;
  };
  // The requests that need the store report that it cannot be reached. This code only tries again.
  const fillNow = () => fillOrJoin().catch(() => {});

  const follower = createFollower({
    look: fillNow,
    listen,
    pauseMs: (signalsArrive) => {
      const quiet = signalsArrive && isComplete && !foundRecent;
      pausesLong = quiet && !asked;
      const pauseMs = asked ? askedMs : idleMs;
      asked = false;
      return quiet ? pauseMs : intervalMs;
    },
    restMs: intervalMs,
  });

  const cacheEntries = (keys: RevocationKey[], expiresAt: number) =>
    cache.put(keys.map((key) => ({ key, expiresAt }))).catch(cacheFailed);

  /** @returns undefined when the cache cannot answer, so that the store must be asked */
  const askCache = async (keys: RevocationKey[]): Promise<boolean | undefined> => {
    asked = true;
    if (pausesLong) {
      pausesLong = false;
      follower.wake();
    }
    if (isComplete && isBehind()) {
      await fillOrJoin().catch((error: unknown) => {
        if (isComplete) throw error;
      });
    }
    if (!isComplete) return undefined;
    const listed = await cache.anyRevoked(keys).catch(cacheFailed);
    if (listed === undefined && isComplete) markStale('the cache lost its data');
    return listed ?? undefined;
  };

  return {
    name,
    revoke: async (keys, expiresAt) => {
      await store.revoke(keys, expiresAt);
      await cacheEntries(keys, expiresAt);
    },
    anyRevoked: async (keys) => (await askCache(keys)) ?? store.anyRevoked(keys),
    cacheEntries,
    markStale,
    fillNow,
    start: () => {
      follower.start();
      follower.wake();
    },
    stop: follower.stop,
  };
}
