import type { Clock } from '../lib/clock.ts';
import { clientKey } from '../ports/revocation-keys.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { CachedDenylist } from './cached-denylist.ts';

export interface ClientRevocationOptions {
  unitOfWork: UnitOfWork;
  denylist: Pick<CachedDenylist, 'cacheEntries'>;
  clock: Clock;
  /** The longest lifetime of a refresh token, whatever was configured when its family began. */
  refreshTokenSeconds: number;
}

/** Allows for clocks that differ, and for a process that does not know the new token version yet. */
const slackSeconds = 60;

/**
 * Gives a function that ends everything a client was issued: codes, refresh tokens and access tokens, its own ones too. It
 * is in force in every process when it has resolved. It writes one entry, for the token version that was current; lower
 * versions were ended before. What is issued from then on has the next version, and is good.
 */
export function createClientRevocation(
  options: ClientRevocationOptions,
): (clientId: string) => Promise<void> {
  const { unitOfWork, denylist: cachedDenylist, clock, refreshTokenSeconds } = options;
  return async (clientId) => {
    const expiresAt = clock.now() + (refreshTokenSeconds + slackSeconds) * 1000;
    const key = await unitOfWork.run(async ({ clientTokenVersions, denylist }) => {
      const ended = clientKey(clientId, (await clientTokenVersions.raise(clientId)) - 1);
      await denylist.revoke([ended], expiresAt);
      return ended;
    });
    await cachedDenylist.cacheEntries([key], expiresAt);
  };
}
