import type { Clock } from '../lib/clock.ts';
import { clientKey, type RevocationKey } from '../ports/denylist.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';

export interface ClientRevocationDeps {
  unitOfWork: UnitOfWork;
  clock: Clock;
  /** The longest a refresh token lives, whatever was set when its family began. */
  refreshTokenSeconds: number;
  /** Makes entries that last known to other processes; never rejects. */
  copy(keys: RevocationKey[], expiresAt: number): Promise<void>;
}

/** For clocks that differ, and for a process that doesn't know the new number yet. */
const slackSeconds = 60;

/**
 * Gives a function that ends everything a client was issued: codes, refresh tokens and access tokens, its own ones too. In
 * force in every process once it has resolved. It is one entry, for the number that was current: what has a lower one was
 * ended before. What is issued from then on has the next number, and is good.
 */
export function createClientRevocation(deps: ClientRevocationDeps): (clientId: string) => Promise<void> {
  const { unitOfWork, clock, refreshTokenSeconds, copy } = deps;
  return async (clientId) => {
    const expiresAt = clock.now() + (refreshTokenSeconds + slackSeconds) * 1000;
    const key = await unitOfWork.run(async ({ clientTokenVersions, denylist }) => {
      const ended = clientKey(clientId, (await clientTokenVersions.raise(clientId)) - 1);
      await denylist.revoke([ended], expiresAt);
      return ended;
    });
    await copy([key], expiresAt);
  };
}
