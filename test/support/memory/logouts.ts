import type { ClaimedLogout, LogoutClaim, Logouts, SetAsideLogout } from '../../../provider/ports/logouts.ts';
import { type Access, type LogoutRow, MemoryDatabase } from './database.ts';

/** Logouts in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryLogouts implements Logouts {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  claim({ limit, perHost, busyHosts, now, leaseMs }: LogoutClaim): Promise<ClaimedLogout[]> {
    return this.#database.use(({ logouts, logoutReceivers }) => {
      const claimed: ClaimedLogout[] = [];
      const due = [...logouts.values()].filter((row) => !row.isSetAside && row.dueAt <= now);
      for (const row of due.sort((one, other) => one.dueAt - other.dueAt)) {
        const { uri, host, mayBePrivate } = logoutReceivers.get(row.logout.clientId) ?? {};
        if (uri === undefined || host === undefined || mayBePrivate === undefined) continue;
        const ofHost = claimed.filter((other) => other.host === host).length;
        if (claimed.length >= limit || ofHost >= perHost || busyHosts.includes(host)) continue;
        const { logout, attempts, firstTriedAt = now } = row;
        claimed.push({ ...logout, attempts, firstTriedAt, uri, host, mayBePrivate });
        logouts.set(logout.id, { ...row, attempts: attempts + 1, firstTriedAt, dueAt: now + leaseMs });
      }
      return claimed;
    });
  }

  markDelivered(id: string): Promise<boolean> {
    return this.#database.use(({ logouts }) => logouts.get(id)?.isSetAside === false && logouts.delete(id));
  }

  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<boolean> {
    return this.#database.use(({ logouts }) => {
      const row = logouts.get(id);
      if (row === undefined || row.isSetAside) return false;
      const isSetAside = retryAt === undefined;
      logouts.set(id, { ...row, reason, dueAt: retryAt ?? row.dueAt, isSetAside });
      return true;
    });
  }

  setAside(limit: number): Promise<SetAsideLogout[]> {
    return this.#database.use(({ logouts }) =>
      aside(logouts)
        .slice(0, limit)
        .map(({ logout, attempts, reason = '' }) => ({
          ...logout,
          attempts,
          reason: reason.replaceAll('\0', ''),
        })),
    );
  }

  retry(ids: string[] | undefined): Promise<string[]> {
    return this.#database.use(({ logouts }) => {
      const found = aside(logouts).filter(({ logout }) => ids === undefined || ids.includes(logout.id));
      for (const { logout } of found)
        logouts.set(logout.id, { logout, attempts: 0, dueAt: 0, isSetAside: false });
      return found.map(({ logout }) => logout.id);
    });
  }

  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }> {
    return this.#database.use(({ logouts }) => {
      const waiting = [...logouts.values()].filter(({ isSetAside }) => !isSetAside);
      const times = waiting.map(({ logout }) => logout.endedAt);
      return {
        pending: waiting.length,
        oldest: times.length > 0 ? Math.min(...times) : undefined,
        setAside: logouts.size - waiting.length,
      };
    });
  }
}

const aside = (logouts: Map<string, LogoutRow>): LogoutRow[] =>
  [...logouts.values()]
    .filter(({ isSetAside }) => isSetAside)
    .sort((one, other) => one.logout.endedAt - other.logout.endedAt);
