import type { Clock } from '../../lib/clock.ts';
import { noteAccount } from '../../lib/request-scope.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { OidcStore } from '../../ports/oidc-store.ts';
import type { StoredSessions } from './stored-sessions.ts';

/** What the end of a session has to know of it. */
export interface EndingSession {
  uid: string;
  accountId?: string | undefined;
  /** Seconds since the epoch: when it would end by itself. */
  exp?: number | undefined;
}

/** One that somebody is signed in by. */
export interface AccountSession {
  uid: string;
  accountId: string;
  /** Milliseconds since the epoch; 0 when it isn't known. */
  expiresAt: number;
}

/** Ends a session, whoever asks. `destroy` takes it out of the store. */
export type SessionEnd = (session: EndingSession, destroy: () => Promise<void>) => Promise<void>;

export interface SessionEndDeps {
  store: Pick<OidcStore, 'endIndex'>;
  keys: Pick<ServerKeys, 'lookupHashes'>;
  clock: Clock;
  /** The longest a session lives. */
  sessionSeconds: number;
  /** Says for good that an account's session is over, and tells so. What expires isn't told of. */
  forbid(session: AccountSession): Promise<void>;
  /** Told after an account's session was ended. */
  ended(session: AccountSession): Promise<void>;
}

/**
 * A request still in flight saves its session when it ends; once ended here, no such save brings it back. Forbidden first:
 * when this fails halfway the session is of no use any more, and stands there to be ended by who asks again.
 */
export function createSessionEnd(deps: SessionEndDeps): SessionEnd {
  const { store, keys, clock, sessionSeconds } = deps;
  return async ({ uid, accountId, exp = 0 }, destroy) => {
    const ofAccount = accountId === undefined ? undefined : { uid, accountId, expiresAt: exp * 1000 };
    if (ofAccount) {
      noteAccount(ofAccount.accountId);
      await deps.forbid(ofAccount);
    }
    const until = clock.now() + sessionSeconds * 1000;
    for (const hash of keys.lookupHashes('Session index', uid)) await store.endIndex('Session', hash, until);
    await destroy();
    if (ofAccount) await deps.ended(ofAccount);
  };
}

export interface EndSessionDeps {
  sessions: StoredSessions;
  endSessionAtClient(sid: string): Promise<void>;
  end: SessionEnd;
}

/**
 * Ends a browser's session from outside of it: its access tokens at every client, its families without
 * `offline_access`, and the session itself, on every process. Does nothing when it is over already.
 *
 * @param uid the session's uid, which isn't its cookie
 */
export async function endSession(
  uid: string,
  { sessions, endSessionAtClient, end }: EndSessionDeps,
): Promise<void> {
  const session = await sessions.findByUid(uid);
  if (!session) return;
  // Tokens first: when this fails halfway the session still stands, and ending it again ends the rest.
  for (const { sid } of Object.values(session.authorizations ?? {})) {
    if (sid) await endSessionAtClient(sid);
  }
  const { jti, accountId, exp } = session;
  await end({ uid, accountId, exp }, () => sessions.destroy(jti));
}
