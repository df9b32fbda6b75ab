import type { Config } from '../config/schema.ts';
import { longestAccessTokenSeconds } from '../config/settings-tokens.ts';
import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { activeSignInsOf } from '../oidc/sessions/active-sign-ins.ts';
import { createSessionEnd, type SessionEnd } from '../oidc/sessions/end-session.ts';
import { createSignIns, type SignIns } from '../oidc/sessions/sign-ins.ts';
import { createStoredSessions } from '../oidc/sessions/stored-sessions.ts';
import { createRefreshTokens, type RefreshTokens } from '../oidc/storage/refresh-tokens.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import { createRevocation, type Revocation, type RevocationOptions } from '../revocation/revocation.ts';
import type { Ports } from './ports.ts';

export interface RevocationParts {
  config: Config;
  ports: Pick<Ports, 'families' | 'accountIndex'>;
  denylist: RevocationOptions['denylist'];
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
}

/**
 * Assembles revocation with the lifetimes of the settings. Servers and commands use it. Commands need no server secrets
 * for it.
 */
export function composeRevocation({ config, ports, ...parts }: RevocationParts): Revocation {
  return createRevocation({
    ...parts,
    families: ports.families,
    index: ports.accountIndex,
    // The current setting is not used, because tokens that were issued under another setting must stay revoked.
    accessTokenSeconds: longestAccessTokenSeconds,
    refreshTokenSeconds: config.refreshTokenIdleDays * 86_400,
    tombstoneSeconds: config.refreshTokenAbsoluteDays * 86_400,
    sessionSeconds: config.sessionAbsoluteSeconds,
  });
}

export interface SignInParts {
  config: Config;
  ports: Pick<Ports, 'accounts' | 'accountIndex' | 'consents' | 'families' | 'oidcStore'>;
  serverKeys: ServerKeys;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  revocation: Revocation;
}

export interface ComposedSignIns {
  signIns: SignIns;
  refreshTokens: RefreshTokens;
  sessionEnd: SessionEnd;
}

/**
 * Assembles the list of sign-ins and the functions that end them. Servers and commands use it. Commands have neither
 * keys nor clients.
 */
export function composeSignIns(parts: SignInParts): ComposedSignIns {
  const { config, ports, serverKeys: keys, clock, logger, revocation } = parts;
  const { accounts, consents, accountIndex: index, oidcStore: store } = ports;
  const refreshTokens = createRefreshTokens({ families: ports.families, keys, clock });
  const sessions = createStoredSessions({ store, keys, clock });
  const sessionEnd = createSessionEnd({
    store,
    keys,
    clock,
    logger,
    revocation,
    sessions,
    index,
    sessionSeconds: config.sessionAbsoluteSeconds,
  });
  const signIns = createSignIns({
    index,
    keys,
    clock,
    activeSignInsOf: (id) => activeSignInsOf(id, { sessions, refreshTokens, accounts, consents, revocation }),
    endSession: sessionEnd.endByUid,
    endFamily: (id) => revocation.endFamily(id),
  });
  return { signIns, refreshTokens, sessionEnd };
}
