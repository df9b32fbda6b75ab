import type { Account } from '../../ports/account-store.ts';
import type { RefreshTokenPayload, RefreshTokens } from '../storage/refresh-tokens.ts';
import { parseGrantId } from '../tokens/grant-id.ts';
import type { StoredSessions } from './stored-sessions.ts';

/** The session a token was issued in, and whether it ends with it. */
export interface SessionBound {
  accountId?: string | undefined;
  expiresWithSession?: boolean | undefined;
  sessionUid?: string | undefined;
  /** What the session was called at the token's client. */
  sessionSid?: string | undefined;
}

/**
 * Whether the session a token ends with, if it ends with one, still stands. Not by the `sid` the session holds now: of two
 * tabs that met the client at once only one could have it.
 *
 * @param isSignedOut whether the person signed out of the client the session was known to by this `sid`
 */
export async function isSessionAlive(
  sessions: { findByUid(uid: string): Promise<{ accountId?: string | undefined } | undefined> },
  token: SessionBound,
  isSignedOut: (sid: string) => Promise<boolean>,
): Promise<boolean> {
  if (!token.expiresWithSession) return true;
  const session = await sessions.findByUid(token.sessionUid ?? '');
  return session?.accountId === token.accountId && !(await isSignedOut(token.sessionSid ?? ''));
}

/** One that is good now. */
export interface ActiveSignIn {
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** Of a family that ends with a browser's session: that session's uid. */
  sessionUid?: string | undefined;
}

/** The sign-ins of one account, asked of the sessions and families themselves; undefined for what is over. */
export interface Standing {
  session(uid: string): Promise<ActiveSignIn | undefined>;
  family(familyId: string): Promise<ActiveSignIn | undefined>;
}

export interface ActiveSignInsDeps {
  sessions: Pick<StoredSessions, 'findByUid'>;
  refreshTokens: Pick<RefreshTokens, 'inspect'>;
  findAccount(id: string): Promise<Account | undefined>;
  /** The account's, by their ids. */
  consents(accountId: string): Promise<{ id: string }[]>;
  isSignedOut(sid: string): Promise<boolean>;
  isClientRevoked(clientId: string, tokenVersion: number | undefined): Promise<boolean>;
}

/**
 * What stands of an account's sign-ins: of one that is disabled, or of before 'sign out everywhere', nothing does; and no
 * family whose consent was withdrawn, or whose client was revoked since.
 */
export async function activeSignInsOf(accountId: string, deps: ActiveSignInsDeps): Promise<Standing> {
  const { sessions, refreshTokens, isSignedOut } = deps;
  const account = await deps.findAccount(accountId);
  const consents = new Set((await deps.consents(accountId)).map(({ id }) => id));
  const isAsItWas = (tokenVersion: unknown) =>
    account?.state === 'active' && account.tokenVersion === tokenVersion;
  const isConsented = ({ grantId = '' }: RefreshTokenPayload) => {
    const { consentId } = parseGrantId(grantId) ?? {};
    return consentId === undefined || consents.has(consentId);
  };
  return {
    session: async (uid) => {
      const session = await sessions.findByUid(uid);
      const stands = session?.accountId === accountId && isAsItWas(session.tokenVersion);
      return stands ? { expiresAt: (session.exp ?? 0) * 1000 } : undefined;
    },
    family: async (familyId) => {
      const found = await refreshTokens.inspect(familyId);
      if (!found || !isAsItWas(found.payload.tokenVersion) || !isConsented(found.payload)) return undefined;
      const { payload, expiresAt } = found;
      const { clientId = '', clientTokenVersion } = payload;
      if (await deps.isClientRevoked(clientId, clientTokenVersion)) return undefined;
      if (!(await isSessionAlive(sessions, payload, isSignedOut))) return undefined;
      return { expiresAt, sessionUid: sessionOf(payload) };
    },
  };
}

const sessionOf = ({ expiresWithSession, sessionUid }: RefreshTokenPayload) =>
  expiresWithSession ? sessionUid : undefined;
