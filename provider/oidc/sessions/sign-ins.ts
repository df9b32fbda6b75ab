import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { AccountIndex, AccountIndexEntry } from '../../ports/account-index.ts';
import type { Standing } from './active-sign-ins.ts';
import { fewAtATime } from './few-at-a-time.ts';

/** Where a request came from, as a person may recognise it. */
export interface Origin {
  ip?: string | undefined;
  userAgent?: string | undefined;
}

const detailsSchema = z.object({
  /** The session's uid; it signs nobody in, but stays out of sight all the same. */
  uid: z.string().optional(),
  clientId: z.string().optional(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
  lastUsedAt: z.number(),
  ip: z.string().optional(),
  userAgent: z.string().optional(),
});

type Details = z.infer<typeof detailsSchema>;

/** One place where an account is signed in: a browser, or an app by tokens of its own. */
export interface SignInEntry extends Omit<Details, 'uid'> {
  kind: 'session' | 'family';
  /** A handle that may be shown. */
  id: string;
  expiresAt: number;
  /** Of a family that ends with a browser's session: the handle of that session. */
  sessionId?: string | undefined;
}

export interface SessionSeen extends Origin {
  accountId: string;
  uid: string;
  startedAt: number;
  expiresAt: number;
}

export interface FamilyUsed extends Origin {
  accountId: string;
  familyId: string;
  clientId: string;
  startedAt: number;
  expiresAt: number;
}

/** Where accounts are signed in, for people and administrators to look at and end. */
export interface SignIns {
  sessionSeen(session: SessionSeen): Promise<void>;
  sessionGone(accountId: string, uid: string): Promise<void>;
  familyUsed(family: FamilyUsed): Promise<void>;
  /**
   * The places that are good now, those used last first. The index is kept apart from what it names, so each is looked
   * up: one that was signed out of, revoked, whose consent was withdrawn, or of before 'sign out everywhere' isn't among
   * them, and of a disabled account none is.
   */
  list(accountId: string): Promise<SignInEntry[]>;
  /** False when something is listed and nothing of it can be opened: then the server secrets aren't those it was written with. */
  isReadable(accountId: string): Promise<boolean>;
  /** The handle under which a session is listed. */
  handleOf(sessionUid: string): string;
  /**
   * Ends the places that `which` chooses, with everything that depends on them; gives how many. Those that `list` leaves
   * out are offered to it too, so that after 'sign out everywhere' what is stored of them can go.
   */
  end(accountId: string, which: (place: SignInEntry) => boolean): Promise<number>;
}

export interface SignInsDeps {
  index: AccountIndex;
  keys: ServerKeys;
  clock: Clock;
  activeSignInsOf(accountId: string): Promise<Standing>;
  /** Ends a browser's session by its uid, with its families. */
  endSession(uid: string): Promise<void>;
  endFamily(familyId: string): Promise<void>;
}

interface Opened {
  place: SignInEntry;
  /** Of a session. */
  uid?: string;
}

/** By no server secret, so that it stays the same when those change. Nobody guesses a uid by it: that is random enough. */
const handleOf = (uid: string) =>
  createHash('sha256').update(`session handle ${uid}`).digest('base64url').slice(0, 22);

export function createSignIns(deps: SignInsDeps): SignIns {
  const { index, keys, clock, endSession, endFamily } = deps;
  const context = (accountId: string, id: string) => `sign-in ${accountId} ${id}`;

  const open = (accountId: string, entry: AccountIndexEntry): Opened | undefined => {
    const text = keys.open(context(accountId, entry.id), entry.details);
    const read = text === undefined ? undefined : detailsSchema.safeParse(JSON.parse(text)).data;
    if (!read) return undefined;
    const { uid, ...details } = read;
    const place = { kind: entry.kind, id: entry.id, expiresAt: entry.expiresAt, ...details };
    return uid === undefined ? { place } : { place, uid };
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

  const standing = async ({ place, uid }: Opened, account: Standing): Promise<SignInEntry | undefined> => {
    const found = uid === undefined ? await account.family(place.id) : await account.session(uid);
    if (!found) return undefined;
    const { expiresAt, sessionUid } = found;
    return { ...place, expiresAt, ...(sessionUid ? { sessionId: handleOf(sessionUid) } : {}) };
  };

  return {
    handleOf,
    sessionSeen: ({ accountId, uid, startedAt, expiresAt, ip, userAgent }) =>
      put(
        accountId,
        { kind: 'session', id: handleOf(uid), expiresAt },
        { uid, startedAt, lastUsedAt: clock.now(), ip, userAgent },
      ),
    sessionGone: (accountId, uid) => index.remove(accountId, handleOf(uid)),
    familyUsed: ({ accountId, familyId, clientId, startedAt, expiresAt, ip, userAgent }) =>
      put(
        accountId,
        { kind: 'family', id: familyId, expiresAt },
        { clientId, startedAt, lastUsedAt: clock.now(), ip, userAgent },
      ),
    list: async (accountId) => {
      const account = await deps.activeSignInsOf(accountId);
      // An account may have a thousand.
      const found = await fewAtATime(await listed(accountId), (one) => standing(one, account));
      const places = found.filter((place) => place !== undefined);
      return places.sort((one, other) => other.lastUsedAt - one.lastUsedAt);
    },
    isReadable: async (accountId) => {
      const entries = await index.list(accountId);
      return entries.length === 0 || entries.some((entry) => open(accountId, entry) !== undefined);
    },
    end: async (accountId, which) => {
      const chosen = (await listed(accountId)).filter(({ place }) => which(place));
      await fewAtATime(chosen, async ({ place, uid }) => {
        if (place.kind === 'family') await endFamily(place.id);
        else if (uid !== undefined) await endSession(uid);
        await index.remove(accountId, place.id);
      });
      return chosen.length;
    },
  };
}
