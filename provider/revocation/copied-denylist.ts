import type { Denylist, DenylistCopy, LastingDenylist, RevocationKey } from '../ports/denylist.ts';

export interface CopiedDenylistDeps {
  lasting: LastingDenylist;
  copy: DenylistCopy;
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Told whether the copy is asked (true), or what lasts in its stead. */
  trusted(is: boolean): void;
  /** How often what was revoked lately is copied once more. */
  intervalMs: number;
}

export interface CopiedDenylist extends Denylist {
  /** Copies what lasts already, so that other processes know of it before they copy. Never rejects. */
  copy(keys: RevocationKey[], expiresAt: number): Promise<void>;
  /** The copy may lack something: its connection was lost, say. It is asked again once everything was copied. */
  distrust(reason: string): void;
  /** Copies once; for a start, and for tests. Never rejects. */
  copyNow(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** How far back each copying looks: longer than a store that fails over may lose. */
const recentSeconds = 60;
const pageSize = 500;

/**
 * The denylist that lasts, and a fast copy of it that is asked in its stead as long as it can be trusted.
 *
 * A revocation is in force here once it lasts. In other processes it is too as soon as it was copied, which is before
 * `revoke` resolves, or within `intervalMs` where this process couldn't reach the copy: every process copies what was
 * revoked lately, again and again. A copy that lost its data says so and isn't asked; neither is one whose connection
 * was lost, or that failed, until everything was copied anew. So it is never the copy that lets a revoked token in
 * after its store came back.
 */
export function createCopiedDenylist(deps: CopiedDenylistDeps): CopiedDenylist {
  const { lasting, copy, logger, intervalMs } = deps;
  let isTrusted = false;
  // Raised by each distrust, so that a copying under way doesn't end one that came after it began.
  let distrusts = 0;
  let timer: NodeJS.Timeout | undefined;
  let copying: Promise<void> | undefined;
  let stopped = true;

  const trust = (is: boolean) => {
    if (isTrusted === is) return;
    isTrusted = is;
    deps.trusted(is);
  };

  const distrust = (reason: string) => {
    distrusts += 1;
    if (isTrusted) logger.warn({ reason }, 'the copy of the denylist is not asked until it was made anew');
    trust(false);
    if (!stopped) schedule(0);
  };

  const copyPages = async (recent?: number) => {
    let after: RevocationKey | undefined;
    do {
      const page = await lasting.inForce({ after, limit: pageSize, recentSeconds: recent });
      await copy.put(page);
      after = page.length === pageSize ? page.at(-1)?.key : undefined;
    } while (after !== undefined);
  };

  const copyOnce = async () => {
    const before = distrusts;
    if (isTrusted) return copyPages(recentSeconds);
    const begun = await copy.begin();
    await copyPages();
    if (!(await copy.declareWhole(begun)) || before !== distrusts) return;
    trust(true);
    logger.info({}, 'the copy of the denylist is whole');
  };

  const copyNow = (): Promise<void> => {
    copying ??= copyOnce()
      .catch((error: unknown) => {
        // A store that is away is told of by who needs it; this tries again.
        if (isTrusted) distrust(error instanceof Error ? error.message : 'copying failed');
      })
      .finally(() => {
        copying = undefined;
      });
    return copying;
  };

  const schedule = (delayMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void copyNow().then(() => stopped || schedule(intervalMs)), delayMs);
    timer.unref();
  };

  const copyThese = (keys: RevocationKey[], expiresAt: number) =>
    copy
      .put(keys.map((key) => ({ key, expiresAt })))
      .catch((error: unknown) =>
        distrust(error instanceof Error ? error.message : 'it could not be written'),
      );

  return {
    revoke: async (keys, expiresAt) => {
      await lasting.revoke(keys, expiresAt);
      await copyThese(keys, expiresAt);
    },
    copy: copyThese,
    anyRevoked: async (keys) => {
      if (isTrusted) {
        const answer = await copy.anyRevoked(keys).catch((error: unknown) => {
          distrust(error instanceof Error ? error.message : 'it could not be asked');
          return undefined;
        });
        if (answer !== undefined) return answer;
        if (isTrusted) distrust('it lost its data');
      }
      return lasting.anyRevoked(keys);
    },
    distrust,
    copyNow,
    start: () => {
      stopped = false;
      schedule(0);
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await copying;
    },
  };
}
