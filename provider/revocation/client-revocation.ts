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
 * Returns a function that revokes everything that was issued to a client: codes, refresh tokens and access tokens, also
 * the tokens of the client itself. When the function has resolved, the revocation is in force in every process. It
 * writes one entry, for the token version that was current. Lower versions were revoked before. Tokens that are issued
 * afterwards have the next version and are valid.
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
