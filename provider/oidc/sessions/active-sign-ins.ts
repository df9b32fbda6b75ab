import type { AccountStore } from '../../ports/account-store.ts';
import type { ConsentStore } from '../../ports/consent-store.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import type { RefreshTokenPayload, RefreshTokens } from '../storage/refresh-tokens.ts';
import { parseGrantId } from '../tokens/grants.ts';
import { isSessionAlive } from './accounts-view.ts';
import type { StoredSessions } from './stored-sessions.ts';

export interface ActiveSignIn {
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** The uid of the browser's session, for a family that ends with that session. */
  sessionUid?: string | undefined;
}

/**
 * The active sign-ins of one account, read from the sessions and families themselves; undefined for one that has ended.
 */
export interface ActiveSignIns {
  session(uid: string): Promise<ActiveSignIn | undefined>;
  family(familyId: string): Promise<ActiveSignIn | undefined>;
}

export interface ActiveSignInsSources {
  sessions: Pick<StoredSessions, 'findByUid'>;
  refreshTokens: Pick<RefreshTokens, 'inspect'>;
  accounts: Pick<AccountStore, 'findById'>;
  consents: Pick<ConsentStore, 'list'>;
  revocation: Pick<Revocation, 'isSignedOut' | 'isClientRevoked'>;
}

/**
 * Nothing is active for a disabled account, for a sign-in before 'sign out everywhere', for a family whose consent was
 * withdrawn, or for one whose client was revoked since.
 */
export async function activeSignInsOf(
  accountId: string,
  sources: ActiveSignInsSources,
): Promise<ActiveSignIns> {
  const { sessions, refreshTokens, revocation } = sources;
  const account = await sources.accounts.findById(accountId);
  const consents = new Set((await sources.consents.list(accountId)).map(({ id }) => id));
  const isUnchanged = (tokenVersion: unknown) =>
    account?.state === 'active' && account.tokenVersion === tokenVersion;
  const isConsented = ({ grantId = '' }: RefreshTokenPayload) => {
    const { consentId } = parseGrantId(grantId) ?? {};
    return consentId === undefined || consents.has(consentId);
  };
  return {
    session: async (uid) => {
      const session = await sessions.findByUid(uid);
      const isActive = session?.accountId === accountId && isUnchanged(session.tokenVersion);
      return isActive ? { expiresAt: (session.exp ?? 0) * 1000 } : undefined;
    },
    family: async (familyId) => {
      const found = await refreshTokens.inspect(familyId);
      if (!found || !isUnchanged(found.payload.tokenVersion) || !isConsented(found.payload)) return undefined;
      const { payload, expiresAt } = found;
      const { clientId = '', clientTokenVersion, expiresWithSession, sessionUid } = payload;
      if (await revocation.isClientRevoked(clientId, clientTokenVersion)) return undefined;
      if (!(await isSessionAlive(sessions, payload, revocation))) return undefined;
      return { expiresAt, sessionUid: expiresWithSession ? sessionUid : undefined };
    },
  };
}
