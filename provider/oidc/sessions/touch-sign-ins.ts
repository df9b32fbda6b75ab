import { type Clock, epochSeconds } from '../../lib/clock.ts';
import { requestOrigin } from '../../lib/request-scope.ts';
import type { OidcServices } from '../services.ts';

type Services = Pick<OidcServices, 'signIns' | 'clock' | 'logger'>;

/** The fields of the library's session that its entry needs. */
interface TouchedSession {
  accountId?: string | undefined;
  uid: string;
  loginTs?: number | undefined;
  exp?: number | undefined;
  indexedAt?: number | undefined;
}

/** The fields of a refresh token that its family's entry needs. */
interface TouchedToken {
  accountId?: string | undefined;
  familyId?: string;
  clientId?: string | undefined;
  iiat?: number | undefined;
  exp?: number | undefined;
  expiration: number;
  indexedAt?: number | undefined;
}

/**
 * An entry that is older than this is written again at the next use. So an entry that was lost, or could not be
 * written, comes back.
 */
const staleSeconds = 300;

const isStale = (indexedAt: number | undefined, clock: Clock) =>
  indexedAt === undefined || epochSeconds(clock) - indexedAt >= staleSeconds;

/**
 * Saves a session and then writes its entry in the list of sign-ins, when that is due. The request does not wait for
 * the list, and does not fail with it.
 */
export async function saveAndTouchSession<T>(
  session: TouchedSession,
  { signIns, clock, logger }: Services,
  save: () => Promise<T>,
): Promise<T> {
  const isDue = session.accountId !== undefined && isStale(session.indexedAt, clock);
  if (isDue) session.indexedAt = epochSeconds(clock);
  const saved = await save();
  const { accountId, uid, loginTs = 0, exp = 0 } = session;
  if (isDue && accountId !== undefined) {
    const entry = { accountId, uid, startedAt: loginTs * 1000, expiresAt: exp * 1000, ...requestOrigin() };
    signIns.sessionSeen(entry).catch(logFailure(logger));
  }
  return saved;
}

/** Writes the entry of a token's family. The request does not wait for it, and does not fail with it. */
export function listFamily(token: TouchedToken, { signIns, clock, logger }: Services): void {
  const { accountId = '', familyId = '', clientId = '', iiat = 0 } = token;
  // The library sets `exp` only on a token that it read from a store.
  const exp = token.exp ?? epochSeconds(clock) + token.expiration;
  const times = { startedAt: iiat * 1000, expiresAt: exp * 1000 };
  signIns
    .familyUsed({ accountId, familyId, clientId, ...times, ...requestOrigin() })
    .catch(logFailure(logger));
}

/**
 * Writes the family's entry again for a later token of the family, when the entry is due.
 *
 * @param token the token that is about to be stored: the family lives as long as that
 * @returns the time to store with the token
 */
export function touchFamily(token: TouchedToken, services: Services): number {
  const { clock } = services;
  if (token.indexedAt !== undefined && !isStale(token.indexedAt, clock)) return token.indexedAt;
  listFamily(token, services);
  return epochSeconds(clock);
}

const logFailure = (logger: Services['logger']) => (error: unknown) =>
  logger.warn({ err: error }, 'sign-in list could not be updated');
