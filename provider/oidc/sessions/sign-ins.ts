import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Clock, epochSeconds } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { type RequestOrigin, requestOrigin } from '../../lib/request-scope.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { AccountIndex, AccountIndexEntry, AccountIndexPosition } from '../../ports/account-index.ts';
import type { ActiveSignIns } from './active-sign-ins.ts';
import { fewAtATime } from './few-at-a-time.ts';

const detailsSchema = z.object({
  /** The session's uid. It is no credential, but it is not shown either. */
  uid: z.string().optional(),
  clientId: z.string().optional(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
  lastUsedAt: z.number(),
  ip: z.string().optional(),
  userAgent: z.string().optional(),
});

type Details = z.infer<typeof detailsSchema>;

/** One sign-in of an account: a browser's session, or an app with a family of its own. */
export interface SignInEntry extends Omit<Details, 'uid'> {
  kind: 'session' | 'family';
  /** A handle that may be shown to people. */
  id: string;
  expiresAt: number;
  /** The handle of the browser's session, for a family that ends with that session. */
  sessionId?: string | undefined;
}

export interface SessionSeen extends RequestOrigin {
  accountId: string;
  uid: string;
  startedAt: number;
  expiresAt: number;
}

export interface FamilyUsed extends RequestOrigin {
  accountId: string;
  familyId: string;
  clientId: string;
  startedAt: number;
  expiresAt: number;
}

/** The list of an account's sign-ins, for people and administrators to look at and end. */
export interface SignIns {
  sessionSeen(session: SessionSeen): Promise<void>;
  familyUsed(family: FamilyUsed): Promise<void>;
  /**
   * The sign-ins that are active now, last used first. The index is stored separately from the sessions and families,
   * so each entry is looked up. An entry is left out if it was signed out or revoked, if its consent was withdrawn, or
   * if it is from before 'sign out everywhere'. All entries of a disabled account are left out.
   */
  list(accountId: string): Promise<SignInEntry[]>;
  /**
   * At most `signInsOfPage` of them, last used first: entries that have ended are left out of a page, so it may be shorter.
   * @param after the position that the page before gave, as its text; any other text means the first page
   */
  page(accountId: string, after?: string): Promise<SignInsPage>;
  /** False when entries exist but none can be decrypted. Then they were written with other server secrets. */
  isReadable(accountId: string): Promise<boolean>;
  /**
   * Ends the chosen sign-ins with everything that depends on them; gives their number. Entries that `list` leaves out
   * are offered to `which` too, so that their stored parts are deleted after 'sign out everywhere'.
   */
  end(accountId: string, which: (entry: SignInEntry) => boolean): Promise<number>;
  /** Ends one sign-in by its handle; false when there is none. */
  endOne(accountId: string, id: string): Promise<boolean>;
}

export interface SignInsPage {
  entries: SignInEntry[];
  /** The position after this page; undefined on the last page. */
  next?: string | undefined;
}

/** How many entries of the index a page of the list looks up. */
export const signInsOfPage = 25;

export interface SignInsOptions {
  index: AccountIndex;
  keys: ServerKeys;
  clock: Clock;
  activeSignInsOf(accountId: string): Promise<ActiveSignIns>;
  /** Ends a browser's session by its uid, with its families. */
  endSession(uid: string): Promise<void>;
  endFamily(familyId: string): Promise<void>;
}

interface Opened {
  entry: SignInEntry;
  /** Of a session. */
  uid?: string;
}

/**
 * The handle under which a session is listed. It needs no server secret, so it stays the same when those are replaced.
 * The uid is random enough that the handle does not reveal it.
 */
export const sessionHandle = (uid: string): string =>
  createHash('sha256').update(`session handle ${uid}`).digest('base64url').slice(0, 22);

export function createSignIns(options: SignInsOptions): SignIns {
  const { index, keys, clock, endSession, endFamily } = options;
  const context = (accountId: string, id: string) => `sign-in ${accountId} ${id}`;

  const open = (accountId: string, stored: AccountIndexEntry): Opened | undefined => {
    const text = keys.open(context(accountId, stored.id), stored.details);
    const read = text === undefined ? undefined : detailsSchema.safeParse(JSON.parse(text)).data;
    if (!read) return undefined;
    const { uid, ...details } = read;
    const entry = { kind: stored.kind, id: stored.id, expiresAt: stored.expiresAt, ...details };
    return uid === undefined ? { entry } : { entry, uid };
  };

  const put = (accountId: string, entry: Omit<AccountIndexEntry, 'details'>, details: Details) =>
    index.put(accountId, {
      ...entry,
      details: keys.seal(context(accountId, entry.id), JSON.stringify(details)),
    });

  const listed = async (accountId: string) => {
    const entries = await index.list(accountId);
    return entries.flatMap((entry) => open(accountId, entry) ?? []);
  };

  const ifActive = async (
    { entry, uid }: Opened,
    active: ActiveSignIns,
  ): Promise<SignInEntry | undefined> => {
    const found = uid === undefined ? await active.family(entry.id) : await active.session(uid);
    if (!found) return undefined;
    const { expiresAt, sessionUid } = found;
    return { ...entry, expiresAt, ...(sessionUid ? { sessionId: sessionHandle(sessionUid) } : {}) };
  };

  const activeOf = async (accountId: string, stored: readonly AccountIndexEntry[]) => {
    const active = await options.activeSignInsOf(accountId);
    const opened = stored.flatMap((entry) => open(accountId, entry) ?? []);
    const found = await fewAtATime(opened, (one) => ifActive(one, active));
    return found.filter((entry) => entry !== undefined);
  };

  const endOpened = async (accountId: string, { entry, uid }: Opened) => {
    if (entry.kind === 'family') await endFamily(entry.id);
    else if (uid !== undefined) await endSession(uid);
    await index.remove(accountId, entry.id);
  };

  return {
    sessionSeen: ({ accountId, uid, startedAt, expiresAt, ip, userAgent }) =>
      put(
        accountId,
        { kind: 'session', id: sessionHandle(uid), usedAt: clock.now(), expiresAt },
        { uid, startedAt, lastUsedAt: clock.now(), ip, userAgent },
      ),
    familyUsed: ({ accountId, familyId, clientId, startedAt, expiresAt, ip, userAgent }) =>
      put(
        accountId,
        { kind: 'family', id: familyId, usedAt: clock.now(), expiresAt },
        { clientId, startedAt, lastUsedAt: clock.now(), ip, userAgent },
      ),
    list: async (accountId) => {
      const entries = await activeOf(accountId, await index.list(accountId));
      return entries.sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    },
    page: async (accountId, after) => {
      // One more shows whether there is a next page.
      const stored = await index.page(accountId, signInsOfPage + 1, readPosition(after));
      const shown = stored.slice(0, signInsOfPage);
      const last = stored.length > shown.length ? shown.at(-1) : undefined;
      const next = last && `${last.usedAt}.${last.id}`;
      return { entries: await activeOf(accountId, shown), next };
    },
    isReadable: async (accountId) => {
      const entries = await index.list(accountId);
      return entries.length === 0 || entries.some((entry) => open(accountId, entry) !== undefined);
    },
    end: async (accountId, which) => {
      const chosen = (await listed(accountId)).filter(({ entry }) => which(entry));
      await fewAtATime(chosen, (one) => endOpened(accountId, one));
      return chosen.length;
    },
    endOne: async (accountId, id) => {
      const stored = await index.find(accountId, id);
      const opened = stored && open(accountId, stored);
      if (opened) await endOpened(accountId, opened);
      return opened !== undefined;
    },
  };
}

/** A position as its text, `<usedAt>.<id>`. */
function readPosition(text = ''): AccountIndexPosition | undefined {
  const { usedAt, id } = /^(?<usedAt>\d{1,15})\.(?<id>[\w-]{1,64})$/.exec(text)?.groups ?? {};
  return usedAt === undefined || id === undefined ? undefined : { usedAt: Number(usedAt), id };
}

interface TouchDeps {
  signIns: Pick<SignIns, 'sessionSeen' | 'familyUsed'>;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
}

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
  familyId?: string | undefined;
  clientId?: string | undefined;
  iiat?: number | undefined;
  exp?: number | undefined;
  /** Seconds until it expires: of a token that has no `exp` yet. */
  expiration?: number;
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
  { signIns, clock, logger }: TouchDeps,
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
export function listFamily(token: TouchedToken, { signIns, clock, logger }: TouchDeps): void {
  const { accountId = '', familyId = '', clientId = '', iiat = 0 } = token;
  // The library sets `exp` only on a token that it read from a store.
  const exp = token.exp ?? epochSeconds(clock) + (token.expiration ?? 0);
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
export function touchFamily(token: TouchedToken, services: TouchDeps): number {
  const { clock } = services;
  if (token.indexedAt !== undefined && !isStale(token.indexedAt, clock)) return token.indexedAt;
  listFamily(token, services);
  return epochSeconds(clock);
}

const logFailure = (logger: TouchDeps['logger']) => (error: unknown) =>
  logger.warn({ err: error }, 'sign-in list could not be updated');
