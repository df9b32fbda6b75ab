import { createHash } from 'node:crypto';
import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { AccountIndex } from '../ports/account-index.ts';
import type { Denylist } from '../ports/denylist.ts';
import type { Family, FamilyStore } from '../ports/family-store.ts';
import type { OutboxEvent } from '../ports/outbox.ts';
import {
  clientKey,
  type RevocationKey,
  type RevocationSubjects,
  revocationKeys,
} from '../ports/revocation-keys.ts';
import type { RevocationEntry } from '../ports/revocation-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { CachedDenylist } from './cached-denylist.ts';

export interface RevocationOptions {
  denylist: Denylist & Pick<CachedDenylist, 'cacheEntries'>;
  families: Pick<FamilyStore, 'find' | 'end'>;
  index: Pick<AccountIndex, 'remove'>;
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  /** The longest lifetime that an access token can have, whatever was configured when it was issued. */
  accessTokenSeconds: number;
  /** The lifetime of a refresh token that is not used. */
  refreshTokenSeconds: number;
  /** Longer than any refresh token, code or request that could still open or rotate a family. */
  tombstoneSeconds: number;
  /** The longest lifetime of a session. */
  sessionSeconds: number;
}

/** A session that is to be ended. */
export interface EndedSession {
  uid: string;
  accountId: string;
  /** The handle under which the session is listed. */
  sessionId: string;
  /** When the session would expire, in milliseconds since the epoch; 0 when that is not known. */
  expiresAt: number;
}

export interface FamilyEnding {
  /** A refresh token was used again (RFC 9700 §4.14.2); the event is then `token.reuse_detected`. */
  reused?: boolean;
  /** The client ended it itself: then it gets no logout token. */
  byClient?: boolean;
  /** The `sid` that the client knows, if no refresh token was issued yet: then the family is not stored. */
  sid?: string | undefined;
  /**
   * The family, if the caller has just read it; null, if the caller knows that there is none. Otherwise it is read
   * here.
   */
  family?: Family | null | undefined;
}

/**
 * Ends tokens, families and sessions, and answers whether they were ended. Every call can be repeated, and is in force
 * in every process when it has resolved.
 */
export interface Revocation {
  /** Ends one access token (RFC 7009 §2.1). */
  revokeToken(jti: string): Promise<void>;
  /**
   * Ends a family's refresh tokens and access tokens, even if its store comes back with older data, writes the event in
   * the same transaction, and removes the family from the account's list of sign-ins. A client with back-channel logout
   * gets a logout token, unless it ended the family itself.
   */
  endFamily(familyId: string, ending?: FamilyEnding): Promise<void>;
  /**
   * Ends a session, and the refresh tokens and codes that end with it, even if its store comes back with older data. In
   * the same transaction, it makes a logout for each client of the session. To be called before the session is deleted.
   */
  endSession(session: EndedSession): Promise<void>;
  /**
   * Ends the access tokens issued under a consent. To be called right before the consent is withdrawn, so that tokens
   * issued in between are revoked too. Its refresh tokens and codes end with the consent, because they name it.
   */
  endConsent(consentId: string): Promise<void>;
  /** Ends the access tokens of a session that has ended, at one client. Its families end with the session. */
  endSessionAtClient(sid: string): Promise<void>;
  /**
   * Signs a session out of one client while the session goes on. Its families at this client end too, and stay ended
   * even when a request that was under way saves the session as it was before.
   */
  signOutOfClient(sid: string): Promise<void>;
  /** Whether a session was signed out of the client that knows it by this `sid`. */
  isSignedOut(sid: string): Promise<boolean>;
  /** Whether everything that a client was issued under this token version was ended. */
  isClientRevoked(clientId: string, tokenVersion: number | undefined): Promise<boolean>;
  /** Whether an access token was revoked. One question to the denylist. */
  isRevoked(token: RevocationSubjects): Promise<boolean>;
}

/** Allows for clocks that differ, and for a request that was issuing a token when it was revoked. */
const slackSeconds = 60;

/** Entries of the denylist live as long as what they forbid could live. */
export function createRevocation(options: RevocationOptions): Revocation {
  const { denylist, families, unitOfWork, newEvent, clock, accessTokenSeconds, sessionSeconds } = options;
  const after = (seconds: number) => clock.now() + seconds * 1000;
  const revoke = (key: RevocationKey, seconds = accessTokenSeconds) =>
    denylist.revoke([key], after(seconds + slackSeconds));

  /** The entry, its event and the logouts are written together; all are, or none is. */
  const revokeWithEvent = async (
    { key, expiresAt }: RevocationEntry,
    event: OutboxEvent | undefined,
    logOut?: (sessions: TransactionStores['clientSessions']) => Promise<unknown>,
  ) => {
    await unitOfWork.run(async (stores) => {
      await stores.denylist.revoke([key], expiresAt);
      if (event) await stores.outbox.append(event);
      await logOut?.(stores.clientSessions);
    });
    await denylist.cacheEntries([key], expiresAt);
  };

  const familyEvent = ({ id: familyId, accountId, clientId }: Family, reused: boolean) => {
    const type = reused ? 'token.reuse_detected' : 'family.ended';
    return newEvent(type, accountId, { id: accountId, clientId, familyId }, eventId(`${type} ${familyId}`));
  };

  const familyEntry = (familyId: string, family: Family | undefined): RevocationEntry => {
    // A refresh under way may still make a token that lives longer than the one that was found.
    const endsAt = Math.max(
      family?.expiresAt ?? after(options.tombstoneSeconds),
      after(options.refreshTokenSeconds),
    );
    return { key: `family:${familyId}`, expiresAt: endsAt + slackSeconds * 1000 };
  };

  /**
   * While the family's store cannot be reached, the account is unknown. The family is revoked then; the caller can
   * retry.
   */
  const findOrForbid = async (familyId: string): Promise<Family | undefined> => {
    try {
      return await families.find(familyId);
    } catch (error) {
      const { key, expiresAt } = familyEntry(familyId, undefined);
      await denylist.revoke([key], expiresAt);
      throw error;
    }
  };

  /** Nothing for a client without back-channel logout: its families have no `sid`. */
  const logOutOf = (familyId: string, sid: string | undefined, byClient: boolean) => {
    if (sid === undefined) return undefined;
    if (!byClient)
      return (sessions: TransactionStores['clientSessions']) => sessions.end({ sid }, clock.now());
    // A client revokes an old refresh token also when it goes on in the same session of the browser. So only a `sid` that
    // is of the family alone is over.
    return sid === familyId
      ? (sessions: TransactionStores['clientSessions']) => sessions.leave(sid)
      : undefined;
  };

  /** This is not awaited. If the entry is not removed, it is not shown, and it expires. */
  const unlist = ({ accountId, id }: Family) =>
    void options.index
      .remove(accountId, id)
      .catch((error: unknown) => options.logger.warn({ err: error }, 'sign-in list could not be updated'));

  return {
    revokeToken: (jti) => revoke(`jti:${jti}`),
    endFamily: async (familyId, { reused = false, byClient = false, sid: knownSid, family: known } = {}) => {
      const family = known === undefined ? await findOrForbid(familyId) : (known ?? undefined);
      // The entry is written first. If the process stops before it writes the tombstone, the family is revoked already,
      // and can be ended again.
      const sid = family?.sid ?? knownSid;
      const event = family && familyEvent(family, reused);
      await revokeWithEvent(familyEntry(familyId, family), event, logOutOf(familyId, sid, byClient));
      await families.end(familyId, after(options.tombstoneSeconds));
      if (family) unlist(family);
    },
    endSession: async ({ uid, accountId, sessionId, expiresAt }) => {
      const endsAt = Math.max(expiresAt, after(sessionSeconds));
      const data = { id: accountId, sessionId };
      await revokeWithEvent(
        { key: `session:${uid}`, expiresAt: endsAt + slackSeconds * 1000 },
        newEvent('session.ended', accountId, data, eventId(`session.ended ${sessionId}`)),
        (sessions) => sessions.end({ sessionId }, clock.now()),
      );
    },
    endConsent: (consentId) => revoke(`consent:${consentId}`),
    endSessionAtClient: (sid) => revoke(`sid:${sid}`),
    signOutOfClient: async (sid) => {
      const expiresAt = after(Math.max(sessionSeconds, accessTokenSeconds) + slackSeconds);
      await revokeWithEvent({ key: `sid:${sid}`, expiresAt }, undefined, (sessions) =>
        sessions.end({ sid }, clock.now()),
      );
    },
    isSignedOut: (sid) => denylist.anyRevoked([`sid:${sid}`]),
    isClientRevoked: (clientId, tokenVersion) => denylist.anyRevoked([clientKey(clientId, tokenVersion)]),
    isRevoked: (token) => denylist.anyRevoked(revocationKeys(token)),
  };
}

/**
 * The id is computed from what was ended. So if several processes end the same thing, only one of them writes the
 * event.
 */
const eventId = (ended: string) =>
  `evt_${createHash('sha256').update(ended).digest('base64url').slice(0, 22)}`;
