import type { Clock } from '../lib/clock.ts';
import { noteAccount } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { OidcStore } from '../ports/oidc-store.ts';
import type { StoredSessions } from './stored-sessions.ts';

/** What the end of a session has to know of it. */
export interface EndingSession {
  uid: string;
  accountId?: string | undefined;
}

/** Ends a session, whoever asks. `destroy` takes it out of the store. */
export type SessionEnd = (session: EndingSession, destroy: () => Promise<void>) => Promise<void>;

export interface SessionEndDeps {
  store: Pick<OidcStore, 'endIndex'>;
  keys: Pick<ServerKeys, 'lookupHashes'>;
  clock: Clock;
  /** The longest a session lives. */
  sessionSeconds: number;
  /** Told after an account's session was ended, on purpose: what it says is over. One that expires isn't told of. */
  ended(accountId: string, uid: string): Promise<void>;
}

/** A request still in flight saves its session when it ends; once ended here, no such save brings it back. */
export function createSessionEnd({ store, keys, clock, sessionSeconds, ended }: SessionEndDeps): SessionEnd {
  return async ({ uid, accountId }, destroy) => {
    const until = clock.now() + sessionSeconds * 1000;
    for (const hash of keys.lookupHashes('Session index', uid)) await store.endIndex('Session', hash, until);
    await destroy();
    if (accountId === undefined) return;
    noteAccount(accountId);
    await ended(accountId, uid);
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
  await end({ uid, accountId: session.accountId }, () => sessions.destroy(session.jti));
}
