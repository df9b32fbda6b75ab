import { createPollingLoop } from '../events/polling-loop.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Leases } from '../ports/leases.ts';

/** Work that one process at a time does. */
export interface LedWork {
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

export interface LeadershipDeps {
  leases: Leases;
  /** The name of the lease. */
  name: string;
  /** A name that no other process has. */
  holder: string;
  /** How long after the end of a killed leader another process may take over, in milliseconds. */
  leaseMs: number;
  work: LedWork;
  /**
   * Stops the work when the lease could not be extended for two thirds of its duration. For work that is still possible
   * without the store of the leases: another process may do it by then.
   */
  stopWithoutLease?: { clock: Clock };
  logger: Pick<Logger, 'info' | 'warn'>;
}

export interface Leadership {
  start(): void;
  /** Stops the work and gives the lease back, so that another process can continue without waiting. */
  stop(): Promise<void>;
}

/**
 * Starts `work` in the one process that has the lease, and asks for the lease in the others. The lease is extended three
 * times in its duration. While the store can't be reached, nothing changes by default: without the store, the work can't
 * do anything either.
 */
export function createLeadership({
  leases,
  name,
  holder,
  leaseMs,
  work,
  logger,
  stopWithoutLease,
}: LeadershipDeps): Leadership {
  let leading = false;
  let heldAt = 0;
  const change = async (held: boolean): Promise<void> => {
    leading = held;
    if (held) {
      logger.info({ lease: name }, 'this process does the jobs now');
      await work.start();
    } else {
      logger.info({ lease: name }, 'another process does the jobs now');
      await work.stop();
    }
  };
  const loop = createPollingLoop({
    step: async () => {
      const held = await leases.hold(name, holder, leaseMs);
      heldAt = stopWithoutLease?.clock.now() ?? 0;
      if (held !== leading) await change(held);
      return false;
    },
    failed: (error) => {
      logger.warn({ err: error }, 'lease of the jobs cannot be read, trying again');
      const isLost =
        stopWithoutLease !== undefined && stopWithoutLease.clock.now() - heldAt >= (leaseMs * 2) / 3;
      if (leading && isLost) void change(false);
    },
    minIdleMs: leaseMs / 3,
    maxIdleMs: leaseMs / 3,
  });
  return {
    start: loop.start,
    stop: async () => {
      await loop.stop();
      if (!leading) return;
      leading = false;
      await work.stop();
      await leases.release(name, holder).catch(() => {});
    },
  };
}
