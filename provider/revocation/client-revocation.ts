import type { Clock } from '../lib/clock.ts';
import { clientKey, type RevocationKey } from '../ports/revocation-keys.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
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

/** Revokes everything that was issued to clients. */
export interface ClientRevocation {
  /** Revokes for one client, in a transaction of its own. When it has resolved, this is in force in every process. */
  revoke(clientId: string): Promise<void>;
  /**
   * Revokes as a part of the caller's transaction. It also withdraws the consents of all people for a client that is
   * deleted, and its sessions and logouts. So a client that gets the same id later has to ask for consent again.
   *
   * @returns a function to call after the commit. When it has resolved, the revocation is in force in every process.
   */
  endWithin(
    stores: Pick<TransactionStores, 'clientTokenVersions' | 'denylist' | 'consents' | 'clientSessions'>,
    clients: EndedClients,
  ): Promise<() => Promise<void>>;
}

/** The ids of clients whose codes and tokens end. */
export interface EndedClients {
  deleted: readonly string[];
  /** The consents of people stay. */
  disabled: readonly string[];
}

/**
 * Revokes codes, refresh tokens and access tokens of a client, also the tokens of the client itself. It writes one
 * entry, for the token version that was current. Lower versions were revoked before. Tokens that are issued afterwards
 * have the next version and are valid.
 */
export function createClientRevocation(options: ClientRevocationOptions): ClientRevocation {
  const { unitOfWork, denylist: cachedDenylist, clock, refreshTokenSeconds } = options;
  const revokeWithin = async (
    stores: Pick<TransactionStores, 'clientTokenVersions' | 'denylist'>,
    clientIds: readonly string[],
  ) => {
    const expiresAt = clock.now() + (refreshTokenSeconds + slackSeconds) * 1000;
    const ended: RevocationKey[] = [];
    // Sorted, because two transactions that lock rows in different orders can deadlock.
    for (const id of [...new Set(clientIds)].sort())
      ended.push(clientKey(id, (await stores.clientTokenVersions.raise(id)) - 1));
    if (ended.length === 0) return async () => {};
    await stores.denylist.revoke(ended, expiresAt);
    return () => cachedDenylist.cacheEntries(ended, expiresAt);
  };
  return {
    revoke: async (clientId) => {
      const spread = await unitOfWork.run((stores) => revokeWithin(stores, [clientId]));
      await spread();
    },
    endWithin: async (stores, { deleted, disabled }) => {
      if (deleted.length > 0) {
        await stores.consents.withdrawAll(deleted);
        await stores.clientSessions.forget(deleted);
      }
      return revokeWithin(stores, [...deleted, ...disabled]);
    },
  };
}
