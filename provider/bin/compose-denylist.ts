import type { Component } from '../lib/lifecycle.ts';
import type { Denylist } from '../ports/denylist.ts';
import { createCopiedDenylist } from '../revocation/copied-denylist.ts';
import type { Ports } from './adapters.ts';
import type { ComposeDeps } from './compose-deps.ts';

/** How soon a revocation is in force in a process that couldn't be told at once. */
const copyIntervalMs = 1000;

/** The denylist in Postgres, asked through its copy in Redis where there is one. */
export function composeDenylist(
  { denylist: lasting, denylistCopy: copy, onRedisLost }: Ports,
  { logger, metrics }: Pick<ComposeDeps, 'logger' | 'metrics'>,
): Denylist & { jobs: Component[] } {
  if (!copy)
    return {
      revoke: (keys, expiresAt) => lasting.revoke(keys, expiresAt),
      anyRevoked: (keys) => lasting.anyRevoked(keys),
      jobs: [],
    };
  const trusted = (is: boolean) => metrics.denylistCopyTrusted.set(is ? 1 : 0);
  const copied = createCopiedDenylist({ lasting, copy, logger, trusted, intervalMs: copyIntervalMs });
  onRedisLost(() => copied.distrust('its connection was lost'));
  return { ...copied, jobs: [{ name: 'denylist', start: () => copied.start(), stop: () => copied.stop() }] };
}
