import type { Config } from '../config/schema.ts';
import { longestAccessTokenSeconds } from '../config/settings-tokens.ts';
import type { Clock } from '../lib/clock.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { activeSignInsOf } from '../oidc/sessions/active-sign-ins.ts';
import { createSessionEnd, endSession, type SessionEnd } from '../oidc/sessions/end-session.ts';
import { createSignIns, type SignIns } from '../oidc/sessions/sign-ins.ts';
import { createStoredSessions } from '../oidc/sessions/stored-sessions.ts';
import { createRefreshTokens, type RefreshTokens } from '../oidc/storage/refresh-tokens.ts';
import { createRevocation } from '../revocation/revocation.ts';
import type { Ports } from './adapters.ts';
import type { Audit, AuditedRevocation } from './compose-audit.ts';
import type { ComposedDenylist } from './compose-denylist.ts';

export interface RevocationParts {
  config: Config;
  ports: Pick<Ports, 'families'>;
  denylist: Omit<ComposedDenylist, 'jobs'>;
  clock: Clock;
  audit: Pick<Audit, 'revocation'>;
}

/** What is no longer good; each family and session that is ended is told of. */
export function composeRevocation({
  config,
  ports,
  denylist,
  clock,
  audit,
}: RevocationParts): AuditedRevocation {
  return audit.revocation(
    createRevocation({
      denylist,
      families: ports.families,
      clock,
      // Not as it is set here and now: what was issued under another setting mustn't come back to life.
      accessTokenSeconds: longestAccessTokenSeconds,
      refreshTokenSeconds: config.refreshTokenIdleDays * 86_400,
      tombstoneSeconds: config.refreshTokenAbsoluteDays * 86_400,
      sessionSeconds: config.sessionAbsoluteSeconds,
    }),
    denylist.copy,
  );
}

export interface SignInParts {
  config: Config;
  ports: Pick<Ports, 'accounts' | 'accountIndex' | 'consents' | 'families' | 'oidcStore'>;
  serverKeys: ServerKeys;
  clock: Clock;
  revocation: AuditedRevocation;
  /** Told when the list couldn't follow what happened. */
  unlisted(error: unknown): void;
}

export interface ComposedSignIns {
  signIns: SignIns;
  refreshTokens: RefreshTokens;
  sessionEnd: SessionEnd;
  /** Ends a browser's session by its uid, listed or not, with its families. */
  endSession(uid: string): Promise<void>;
}

/**
 * Where accounts are signed in, and how that ends: for the servers, and for commands, which have neither keys nor
 * clients nor a Provider.
 */
export function composeSignIns(parts: SignInParts): ComposedSignIns {
  const { config, ports, serverKeys: keys, clock, revocation } = parts;
  const refreshTokens = createRefreshTokens({ families: ports.families, keys, clock });
  const sessions = createStoredSessions({ store: ports.oidcStore, keys, clock });
  const sessionEnd = createSessionEnd({
    store: ports.oidcStore,
    keys,
    clock,
    sessionSeconds: config.sessionAbsoluteSeconds,
    forbid: (session) => revocation.endSession({ ...session, sessionId: signIns.handleOf(session.uid) }),
    ended: ({ accountId, uid }) => signIns.sessionGone(accountId, uid).catch(parts.unlisted),
  });
  const endSessionAtClient = (sid: string) => revocation.endSessionAtClient(sid);
  const endSessionOf = (uid: string) => endSession(uid, { sessions, endSessionAtClient, end: sessionEnd });
  const signIns = createSignIns({
    index: ports.accountIndex,
    keys,
    clock,
    activeSignInsOf: (accountId) =>
      activeSignInsOf(accountId, {
        sessions,
        refreshTokens,
        findAccount: (id) => ports.accounts.findById(id),
        consents: (id) => ports.consents.list(id),
        isSignedOut: (sid) => revocation.isSignedOut(sid),
        isClientRevoked: revocation.isClientRevoked,
      }),
    endSession: endSessionOf,
    endFamily: (id) => revocation.endFamily(id),
  });
  return { signIns, refreshTokens, sessionEnd, endSession: endSessionOf };
}
