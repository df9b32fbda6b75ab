import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ClaimedLogout, Logouts } from '../ports/logouts.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { NewEvent } from './catalogue.ts';
import { createPollingLoop, type PollingLoop } from './polling-loop.ts';
import { type RetryPolicy, reasonOf, retryDelayMs } from './relay.ts';

/** What came of one request to a client. */
export type LogoutResult =
  | { outcome: 'delivered' }
  /** A later try may succeed. */
  | { outcome: 'failed'; reason: string }
  /** Another try has the same result until a person changes something. */
  | { outcome: 'refused'; reason: string };

interface Tuning {
  /** At most this many requests at once, and for one host. */
  most: number;
  mostPerHost: number;
  /** The duration of a claim in milliseconds. It must be longer than any request. */
  leaseMs: number;
  retry: RetryPolicy;
  /** A logout is set aside when it still fails this long after its first try. */
  giveUpMs: number;
  minIdleMs: number;
  maxIdleMs: number | (() => number);
}

const defaults: Tuning = {
  most: 64,
  mostPerHost: 8,
  leaseMs: 30_000,
  retry: { baseMs: 2000, maxMs: 900_000 },
  giveUpMs: 86_400_000,
  minIdleMs: 250,
  maxIdleMs: 10_000,
};

export interface LogoutDeliveryDeps extends Partial<Tuning> {
  logouts: Pick<Logouts, 'claim'>;
  unitOfWork: UnitOfWork;
  /** Sends one logout token. Must end in less than `leaseMs`. */
  send(logout: ClaimedLogout): Promise<LogoutResult>;
  newEvent: NewEvent;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics?: {
    logouts(outcome: 'delivered' | 'failed' | 'set_aside'): void;
    /** The time from the end of the session to the delivery. */
    delay(seconds: number): void;
  };
}

/**
 * Delivers logouts at least once. Hosts do not wait for each other: a host has its own few requests, and the next ones for
 * it are claimed when these have ended. Any number of processes may run it.
 */
export function createLogoutDelivery(deps: LogoutDeliveryDeps): PollingLoop {
  const options = { ...defaults, ...deps };
  const record = createRecorder(options);
  /** The requests under way, by host. */
  const busy = new Map<string, { count: number; done: Promise<unknown> }>();
  const underWay = () => [...busy.values()].reduce((sum, { count }) => sum + count, 0);

  const deliver = async (logout: ClaimedLogout) => {
    try {
      await record(logout, await trySend(options, logout));
    } catch (error) {
      // The claim expires, so the logout is delivered again.
      options.logger.warn({ err: error, logoutId: logout.id }, 'result of a logout not stored');
    }
  };
  const loop = createPollingLoop({
    step: async () => {
      const limit = options.most - underWay();
      if (limit <= 0) return false;
      const { mostPerHost: perHost, leaseMs, clock } = options;
      const claim = { limit, perHost, busyHosts: [...busy.keys()], now: clock.now(), leaseMs };
      const claimed = await options.logouts.claim(claim);
      for (const [host, group] of byHost(claimed)) {
        const done = Promise.all(group.map(deliver)).then(() => {
          busy.delete(host);
          loop.nudge();
        });
        busy.set(host, { count: group.length, done });
      }
      return claimed.length > 0;
    },
    failed: (error) => options.logger.warn({ err: error }, 'logouts cannot be read, trying again'),
    minIdleMs: options.minIdleMs,
    maxIdleMs: options.maxIdleMs,
  });
  return {
    ...loop,
    stop: async () => {
      await loop.stop();
      await Promise.all([...busy.values()].map(({ done }) => done));
    },
  };
}

type Options = LogoutDeliveryDeps & Tuning;

async function trySend({ send }: Options, logout: ClaimedLogout): Promise<LogoutResult> {
  try {
    return await send(logout);
  } catch (error) {
    return { outcome: 'failed', reason: reasonOf(error) };
  }
}

/** Stores a result and its event together. */
function createRecorder(options: Options) {
  const { unitOfWork, newEvent, clock, logger, metrics, retry, giveUpMs } = options;
  const audit = (type: 'logout.delivered' | 'logout.failed', logout: ClaimedLogout, more: object = {}) => {
    const { id: logoutId, accountId: id, clientId, sid } = logout;
    return newEvent(type, id, { id, clientId, logoutId, ...(sid === undefined ? {} : { sid }), ...more });
  };
  const delivered = (logout: ClaimedLogout) =>
    unitOfWork.run(async ({ logouts, outbox }) => {
      if (!(await logouts.markDelivered(logout.id))) return;
      await outbox.append(audit('logout.delivered', logout));
    });
  const failed = (logout: ClaimedLogout, reason: string, retryAt: number | undefined) =>
    unitOfWork.run(async ({ logouts, outbox }) => {
      if (!(await logouts.markFailed(logout.id, reason, retryAt)) || retryAt !== undefined) return;
      await outbox.append(audit('logout.failed', logout, { reason }));
    });

  return async (logout: ClaimedLogout, result: LogoutResult): Promise<void> => {
    const now = clock.now();
    const fields = { logoutId: logout.id, clientId: logout.clientId, accountId: logout.accountId };
    if (result.outcome === 'delivered') {
      await delivered(logout);
      metrics?.logouts('delivered');
      metrics?.delay(Math.max(0, now - logout.endedAt) / 1000);
      logger.info({ ...fields, attempts: logout.attempts + 1 }, 'logout delivered');
      return;
    }
    const reason = result.reason.slice(0, 300);
    const retryAt = now + retryDelayMs(logout.attempts, retry);
    const isOver = result.outcome === 'refused' || retryAt > logout.firstTriedAt + giveUpMs;
    await failed(logout, reason, isOver ? undefined : retryAt);
    metrics?.logouts(isOver ? 'set_aside' : 'failed');
    const attempts = logout.attempts + 1;
    if (isOver) logger.warn({ ...fields, attempts, reason }, 'logout set aside');
    else logger.warn({ ...fields, attempts, reason }, 'logout not delivered, trying again');
  };
}

function byHost(logouts: readonly ClaimedLogout[]): Map<string, ClaimedLogout[]> {
  const groups = new Map<string, ClaimedLogout[]>();
  for (const logout of logouts) groups.set(logout.host, [...(groups.get(logout.host) ?? []), logout]);
  return groups;
}
