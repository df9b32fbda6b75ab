import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { AccountIndex, AccountIndexEntry } from '../ports/account-index.ts';

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
export interface SignInPlace extends Omit<Details, 'uid'> {
  kind: 'session' | 'family';
  /** A handle that may be shown. */
  id: string;
  expiresAt: number;
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

/** Where accounts are signed in, for people and administrators to look at and end. Kept apart from what it lists. */
export interface SignIns {
  sessionSeen(session: SessionSeen): Promise<void>;
  sessionGone(accountId: string, uid: string): Promise<void>;
  familyUsed(family: FamilyUsed): Promise<void>;
  list(accountId: string): Promise<SignInPlace[]>;
  /** The handle under which a session is listed. */
  handleOf(sessionUid: string): string;
  /** Ends the places that `which` chooses, with everything that depends on them; gives how many. */
  end(accountId: string, which: (place: SignInPlace) => boolean): Promise<number>;
}

export interface SignInsDeps {
  index: AccountIndex;
  keys: ServerKeys;
  clock: Clock;
  /** Ends a browser's session by its uid, with its families. */
  endSession(uid: string): Promise<void>;
  endFamily(familyId: string): Promise<void>;
}

export function createSignIns({ index, keys, clock, endSession, endFamily }: SignInsDeps): SignIns {
  const context = (accountId: string, id: string) => `sign-in ${accountId} ${id}`;
  const handleOf = (uid: string) => keys.tag('session handle', uid);

  const open = (
    accountId: string,
    entry: AccountIndexEntry,
  ): { place: SignInPlace; uid?: string } | undefined => {
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
    list: async (accountId) => (await listed(accountId)).map(({ place }) => place),
    end: async (accountId, which) => {
      const chosen = (await listed(accountId)).filter(({ place }) => which(place));
      for (const { place, uid } of chosen) {
        if (place.kind === 'family') await endFamily(place.id);
        else if (uid !== undefined) await endSession(uid);
        await index.remove(accountId, place.id);
      }
      return chosen.length;
    },
  };
}
