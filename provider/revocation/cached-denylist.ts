import type { Clock } from '../lib/clock.ts';
import type { Denylist, RevocationKey } from '../ports/denylist.ts';
import type { RevocationCache } from '../ports/revocation-cache.ts';
import type { RevocationStore } from '../ports/revocation-store.ts';

export interface CachedDenylistDeps {
  lasting: RevocationStore;
  copy: RevocationCache;
  clock: Clock;
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Told whether the copy is asked (true), or what lasts in its stead. */
  trusted(is: boolean): void;
  /** How often what was revoked lately is copied once more. */
  intervalMs: number;
}

export interface CachedDenylist extends Denylist {
  /** Copies what lasts already, so that other processes know of it before they copy. Never rejects. */
  copy(keys: RevocationKey[], expiresAt: number): Promise<void>;
  /** The copy may lack something: its connection was lost, say. It is asked again once everything was copied. */
  markStale(reason: string): void;
  /** Copies once; for a start, and for tests. Never rejects. */
  copyNow(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** How far back each copying looks: longer than a store that fails over may lose. */
const recentSeconds = 60;
/** How long the copy is asked while what lasts can't be read. */
const longestBehindMs = 10_000;
const pageSize = 500;

/**
 * The denylist that lasts, and a fast copy of it that is asked in its stead as long as it can be trusted.
 *
 * A revocation is in force here once it lasts. In other processes it is too as soon as it was copied, which is before
 * `revoke` resolves, or within `intervalMs` where this process couldn't reach the copy: every process copies what was
 * revoked lately, again and again. A copy that lost its data says so and isn't asked; neither is one whose connection
 * was lost, or that failed, until everything was copied anew. So it is never the copy that lets a revoked token in
 * after its store came back.
 *
 * That what lasts can't be read makes the copy no worse: all it may lack is what was revoked by a process that reaches
 * what lasts and not the copy, while this one reaches the copy and not what lasts. So it is asked for `longestBehindMs`
 * more: a hiccup must not turn every question of every process into one for a database that has too much to do already.
 * After that the copy alone is believed no more, and all questions wait for one reading of what was missed, which fails
 * for all of them or is enough for all. So trust comes back with the first reading that succeeds.
 */
export function createCachedDenylist(deps: CachedDenylistDeps): CachedDenylist {
  const { lasting, copy, clock, logger, intervalMs } = deps;
  let isTrusted = false;
  let isTold = false;
  // When the last reading of what lasts that came to its end had begun.
  let readAt = clock.now();
  // Raised by each markStale, so that a copying under way doesn't end one that came after it began.
  let distrusts = 0;
  let timer: NodeJS.Timeout | undefined;
  let copying: Promise<void> | undefined;
  let stopped = true;

  const tell = (is: boolean, say: () => void) => {
    if (isTold === is) return;
    isTold = is;
    deps.trusted(is);
    say();
  };
  const tellWhole = () => tell(true, () => logger.info({}, 'the copy of the denylist is whole'));

  const markStale = (reason: string) => {
    distrusts += 1;
    isTrusted = false;
    tell(false, () =>
      logger.warn({ reason }, 'the copy of the denylist is not asked until it was made anew'),
    );
    if (!stopped) schedule(0);
  };
  const copyFailed = (error: unknown) =>
    markStale(error instanceof Error ? error.message : 'it could not be reached');

  /** Negative when the clock was set back: then nobody knows. */
  const ageMs = () => clock.now() - readAt;
  const isBehind = () => ageMs() < 0 || ageMs() > longestBehindMs;

  const copyPages = async (recent?: number) => {
    const begunAt = clock.now();
    let after: RevocationKey | undefined;
    do {
      const page = await lasting.inForce({ after, limit: pageSize, recentSeconds: recent });
      await copy.put(page).catch((error: unknown) => {
        if (isTrusted) copyFailed(error);
        throw error;
      });
      after = page.length === pageSize ? page.at(-1)?.key : undefined;
    } while (after !== undefined);
    readAt = begunAt;
  };

  const copyMissed = async () => {
    await copyPages(ageMs() < 0 ? undefined : recentSeconds + ageMs() / 1000);
    if (isTrusted) tellWhole();
  };

  const copyEverything = async () => {
    const before = distrusts;
    const begun = await copy.begin();
    await copyPages();
    if (!(await copy.declareComplete(begun)) || before !== distrusts) return;
    isTrusted = true;
    tellWhole();
  };

  const copyOnce = (): Promise<void> => {
    const copied = isTrusted ? copyMissed() : copyEverything();
    return copied.catch((error: unknown) => {
      if (isTrusted && isBehind())
        tell(false, () =>
          logger.warn({}, 'the copy of the denylist is not asked alone: what it may lack can not be read'),
        );
      throw error;
    });
  };

  const copyOrJoin = (): Promise<void> => {
    copying ??= copyOnce().finally(() => {
      copying = undefined;
    });
    return copying;
  };
  // A store that is away is told of by who needs it; this tries again.
  const copyNow = () => copyOrJoin().catch(() => {});

  const schedule = (delayMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void copyNow().then(() => stopped || schedule(intervalMs)), delayMs);
    timer.unref();
  };

  const copyThese = (keys: RevocationKey[], expiresAt: number) =>
    copy.put(keys.map((key) => ({ key, expiresAt }))).catch(copyFailed);

  const askCopy = async (keys: RevocationKey[]): Promise<boolean | undefined> => {
    if (isTrusted && isBehind()) {
      await copyOrJoin().catch((error: unknown) => {
        if (isTrusted) throw error;
      });
    }
    if (!isTrusted) return undefined;
    const answer = await copy.anyRevoked(keys).catch(copyFailed);
    if (answer === undefined && isTrusted) markStale('it lost its data');
    return answer ?? undefined;
  };

  return {
    revoke: async (keys, expiresAt) => {
      await lasting.revoke(keys, expiresAt);
      await copyThese(keys, expiresAt);
    },
    copy: copyThese,
    anyRevoked: async (keys) => (await askCopy(keys)) ?? lasting.anyRevoked(keys),
    markStale,
    copyNow,
    start: () => {
      stopped = false;
      schedule(0);
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await copying?.catch(() => {});
    },
  };
}
