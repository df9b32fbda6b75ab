import { newId } from '../../../provider/lib/ids.ts';
import type {
  ClientSession,
  ClientSessions,
  EndedClientSessions,
  LogoutReceiver,
} from '../../../provider/ports/client-sessions.ts';
import type { Logout } from '../../../provider/ports/logouts.ts';
import { type Access, MemoryDatabase } from './database.ts';

function isEnded(session: ClientSession, which: EndedClientSessions): boolean {
  if ('sid' in which) return session.sid === which.sid;
  if ('sessionId' in which) return session.sessionId === which.sessionId;
  const { accountId, clientId = session.clientId } = which;
  return session.accountId === accountId && session.clientId === clientId;
}

/** Sessions at clients in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryClientSessions implements ClientSessions {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  join(session: ClientSession, receiver: LogoutReceiver): Promise<boolean> {
    return this.#database.use(({ accounts, logoutReceivers, clientSessions }) => {
      const account = accounts.get(session.accountId);
      if (account?.state !== 'active' || account.tokenVersion !== session.tokenVersion) return false;
      logoutReceivers.set(receiver.clientId, receiver);
      clientSessions.set(session.sid, session);
      return true;
    });
  }

  end(which: EndedClientSessions, at: number): Promise<number> {
    return this.#database.use(({ logoutReceivers, clientSessions, logouts }) => {
      const made = new Map<string, Logout>();
      for (const [sid, session] of clientSessions) {
        const receiver = logoutReceivers.get(session.clientId);
        if (!receiver || !isEnded(session, which)) continue;
        clientSessions.delete(sid);
        const { clientId, accountId } = session;
        const logout = { id: newId('logout'), clientId, accountId, endedAt: at };
        const key = receiver.withSid ? sid : `${clientId} ${accountId}`;
        made.set(key, receiver.withSid ? { ...logout, sid } : logout);
      }
      for (const logout of made.values())
        logouts.set(logout.id, { logout, attempts: 0, dueAt: 0, isSetAside: false });
      return made.size;
    });
  }

  leave(sid: string): Promise<void> {
    return this.#database.use(({ clientSessions }) => void clientSessions.delete(sid));
  }

  async update(receivers: readonly LogoutReceiver[], without: readonly string[]): Promise<void> {
    await this.forget(without);
    await this.#database.use(({ logoutReceivers }) => {
      for (const receiver of receivers)
        if (logoutReceivers.has(receiver.clientId)) logoutReceivers.set(receiver.clientId, receiver);
    });
  }

  forget(clientIds: readonly string[]): Promise<void> {
    return this.#database.use(({ logoutReceivers, clientSessions, logouts }) => {
      for (const id of clientIds) logoutReceivers.delete(id);
      for (const [sid, { clientId }] of clientSessions)
        if (clientIds.includes(clientId)) clientSessions.delete(sid);
      for (const [id, { logout }] of logouts) if (clientIds.includes(logout.clientId)) logouts.delete(id);
    });
  }
}
