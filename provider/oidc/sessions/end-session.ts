import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { noteAccount } from '../../lib/request-scope.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { AccountIndex } from '../../ports/account-index.ts';
import type { OidcStore } from '../../ports/oidc-store.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import { sessionHandle } from './sign-ins.ts';
import type { StoredSessions } from './stored-sessions.ts';

/** The fields of a session that its end needs. */
export interface EndingSession {
  uid: string;
  accountId?: string | undefined;
  /** When it would expire, in seconds since the epoch. */
  exp?: number | undefined;
}

export interface SessionEndOptions {
  store: Pick<OidcStore, 'endIndex'>;
  keys: Pick<ServerKeys, 'lookupHashes'>;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  revocation: Pick<Revocation, 'endSession' | 'endSessionAtClient'>;
  sessions: StoredSessions;
  index: Pick<AccountIndex, 'remove'>;
  /** The longest lifetime of a session. */
  sessionSeconds: number;
}

export interface SessionEnd {
  /** Ends a session that the caller has already loaded. `destroy` deletes it from the store. */
  end(session: EndingSession, destroy: () => Promise<void>): Promise<void>;
  /**
   * Ends a session from outside of it: its access tokens at every client, its families without `offline_access`, and
   * the session itself, in every process. Does nothing when it has ended already.
   *
   * @param uid the session's uid, which is not its cookie
   */
  endByUid(uid: string): Promise<void>;
}

/**
 * A request that is under way saves its session when it ends; such a save does not bring an ended session back. The
 * revocation is written first: if a later step fails, the session is useless already, and can be ended again.
 */
export function createSessionEnd(options: SessionEndOptions): SessionEnd {
  const { store, keys, clock, logger, revocation, sessions, index, sessionSeconds } = options;
  const end: SessionEnd['end'] = async ({ uid, accountId, exp = 0 }, destroy) => {
    // Nothing depends on a session without an account, so its end is not stored.
    if (accountId === undefined) return destroy();
    noteAccount(accountId);
    await revocation.endSession({ uid, accountId, sessionId: sessionHandle(uid), expiresAt: exp * 1000 });
    const until = clock.now() + sessionSeconds * 1000;
    for (const hash of keys.lookupHashes('Session index', uid)) await store.endIndex('Session', hash, until);
    await destroy();
    await index
      .remove(accountId, sessionHandle(uid))
      .catch((error: unknown) => logger.warn({ err: error }, 'sign-in list could not be updated'));
  };
  return {
    end,
    endByUid: async (uid) => {
      const session = await sessions.findByUid(uid);
      if (!session) return;
      // Tokens first: if this fails halfway the session still exists, and ending it again ends the rest.
      for (const { sid } of Object.values(session.authorizations ?? {})) {
        if (sid) await revocation.endSessionAtClient(sid);
      }
      const { jti, accountId, exp } = session;
      await end({ uid, accountId, exp }, () => sessions.destroy(jti));
    },
  };
}
