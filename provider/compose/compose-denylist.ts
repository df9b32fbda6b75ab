import { type Clock, systemClock } from '../lib/clock.ts';
import type { Component } from '../lib/lifecycle.ts';
import type { Denylist } from '../ports/denylist.ts';
import { type CachedDenylist, createCachedDenylist } from '../revocation/cached-denylist.ts';
import type { Ports } from './adapters.ts';

/**
 * The rest between two looks for what a process couldn't put into the copy itself. With the look before, which may just have
 * missed a revocation, and the one after it, it has to stay below the second within which every process knows.
 */
const copyIntervalMs = 300;

export interface DenylistParts {
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Told whether revocations are looked up in the copy. */
  trusted?(is: boolean): void;
  /** The machine's unless told: only what has passed matters, and timers go by that, too. */
  clock?: Clock;
}

export interface ComposedDenylist extends Denylist, Pick<CachedDenylist, 'copy'> {
  jobs: Component[];
}

/**
 * The denylist in Postgres, asked through its copy in Redis where there is one: once its job runs. A command, which runs
 * none, writes to both all the same.
 */
export function composeDenylist(
  {
    denylist: lasting,
    revocationCache: copy,
    onRedisLost,
  }: Pick<Ports, 'denylist' | 'revocationCache' | 'onRedisLost'>,
  { logger, trusted = () => {}, clock = systemClock }: DenylistParts,
): ComposedDenylist {
  if (!copy)
    return {
      revoke: (keys, expiresAt) => lasting.revoke(keys, expiresAt),
      anyRevoked: (keys) => lasting.anyRevoked(keys),
      copy: async () => {},
      jobs: [],
    };
  const copied = createCachedDenylist({ lasting, copy, clock, logger, trusted, intervalMs: copyIntervalMs });
  onRedisLost(() => copied.markStale('its connection was lost'));
  return { ...copied, jobs: [{ name: 'denylist', start: () => copied.start(), stop: () => copied.stop() }] };
}
