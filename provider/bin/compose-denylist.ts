import type { Component } from '../lib/lifecycle.ts';
import type { Denylist } from '../ports/denylist.ts';
import { type CopiedDenylist, createCopiedDenylist } from '../revocation/copied-denylist.ts';
import type { Ports } from './adapters.ts';

/** How soon a revocation is in force in a process that couldn't be told at once. */
const copyIntervalMs = 500;

export interface DenylistParts {
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Told whether revocations are looked up in the copy. */
  trusted?(is: boolean): void;
}

export interface ComposedDenylist extends Denylist, Pick<CopiedDenylist, 'copy'> {
  jobs: Component[];
}

/**
 * The denylist in Postgres, asked through its copy in Redis where there is one: once its job runs. A command, which runs
 * none, writes to both all the same.
 */
export function composeDenylist(
  { denylist: lasting, denylistCopy: copy, onRedisLost }: Ports,
  { logger, trusted = () => {} }: DenylistParts,
): ComposedDenylist {
  if (!copy)
    return {
      revoke: (keys, expiresAt) => lasting.revoke(keys, expiresAt),
      anyRevoked: (keys) => lasting.anyRevoked(keys),
      copy: async () => {},
      jobs: [],
    };
  const copied = createCopiedDenylist({ lasting, copy, logger, trusted, intervalMs: copyIntervalMs });
  onRedisLost(() => copied.distrust('its connection was lost'));
  return { ...copied, jobs: [{ name: 'denylist', start: () => copied.start(), stop: () => copied.stop() }] };
}
