import type { Clock } from '../lib/clock.ts';
import { clientKey, type Denylist, type RevocationKey, type RevocationSubjects } from '../ports/denylist.ts';
import type { Family, FamilyStore } from '../ports/family-store.ts';
import type { RevocationEntry } from '../ports/revocation-store.ts';

export interface RevocationDeps {
  denylist: Denylist;
  families: Pick<FamilyStore, 'find' | 'end'>;
  clock: Clock;
  /** The longest an access token lives, whatever was set when it was issued. */
  accessTokenSeconds: number;
  /** How long a refresh token lives that isn't used. */
  refreshTokenSeconds: number;
  /** Longer than any refresh token, code or request that could still open or rotate a family. */
  tombstoneSeconds: number;
  /** The longest a session lives. */
  sessionSeconds: number;
}

/** Writes an entry of the denylist, and with it what tells of it, so that both stand or neither does. */
export type WriteEntry = (entry: RevocationEntry) => Promise<void>;

/** Everything here can be repeated, and is in force in every process once it has resolved. */
export interface Revocation {
  /** Ends one access token. */
  revokeToken(jti: string): Promise<void>;
  /**
   * Ends a family's refresh tokens for good, and its access tokens, even when its store later has older data.
   *
   * @param write gets the family too, as it stood; undefined when it ended before, or never was
   */
  endFamily(
    familyId: string,
    write?: (entry: RevocationEntry, family: Family | undefined) => Promise<void>,
  ): Promise<void>;
  /**
   * Ends a session for good, and the refresh tokens and codes that end with it, even when its store later has older data.
   * To be called before it is taken out of there.
   *
   * @param expiresAt when it would end by itself, as far as is known, in milliseconds since the epoch
   */
  endSession(uid: string, expiresAt: number, write?: WriteEntry): Promise<void>;
  /**
   * Ends the access tokens issued under a consent, to be called right before it is withdrawn: what is issued until then is
   * dead as well. Its refresh tokens and codes are dead once it is withdrawn, since they name it.
   */
  endConsent(consentId: string): Promise<void>;
  /** Ends the access tokens of a session that has ended, at one client. Its families end with the session. */
  endSessionAtClient(sid: string): Promise<void>;
  /**
   * The same for a session that goes on: its families at this client end too, and stay so even when a request that was
   * under way saves the session as it was before.
   */
  signOutOfClient(sid: string): Promise<void>;
  /** Whether a session was signed out of the client for which it is called this. */
  isSignedOut(sid: string): Promise<boolean>;
  /** Whether what a client was issued under this number was ended. */
  isClientRevoked(clientId: string, tokenVersion: number | undefined): Promise<boolean>;
  /** One question to the denylist. */
  isRevoked(token: RevocationSubjects): Promise<boolean>;
}

/** For clocks that differ, and for a request that was issuing a token when it was revoked. */
const slackSeconds = 60;

/** What is revoked, and whether a token is. Entries live as long as what they forbid could. */
export function createRevocation(deps: RevocationDeps): Revocation {
  const { denylist, families, clock, tombstoneSeconds, sessionSeconds } = deps;
  const { accessTokenSeconds, refreshTokenSeconds } = deps;
  const after = (seconds: number) => clock.now() + seconds * 1000;
  const writeAlone: WriteEntry = ({ key, expiresAt }) => denylist.revoke([key], expiresAt);
  const revoke = (key: RevocationKey, seconds = accessTokenSeconds) =>
    denylist.revoke([key], after(seconds + slackSeconds));

  return {
    revokeToken: (jti) => revoke(`jti:${jti}`),
    endFamily: async (familyId, write = writeAlone) => {
      const [found] = await Promise.allSettled([families.find(familyId)]);
      const family = found.status === 'fulfilled' ? found.value : undefined;
      // A refresh under way may yet make a token that lives longer than the one that was found.
      const endsAt = Math.max(family?.expiresAt ?? after(tombstoneSeconds), after(refreshTokenSeconds));
      const entry = { key: `family:${familyId}`, expiresAt: endsAt + slackSeconds * 1000 } as const;
      if (found.status === 'rejected') {
        // It is dead, but whose it was can't be told: it goes on standing there, for who asks again to end and tell.
        await writeAlone(entry);
        throw found.reason;
      }
      // The entry first: when the tombstone then fails, or the process dies, it is dead all the same, and what is left
      // of it is there to be ended by who asks again.
      await write(entry, family);
      await families.end(familyId, after(tombstoneSeconds));
    },
    endSession: (uid, expiresAt, write = writeAlone) => {
      const endsAt = Math.max(expiresAt, after(sessionSeconds));
      return write({ key: `session:${uid}`, expiresAt: endsAt + slackSeconds * 1000 });
    },
    endConsent: (consentId) => revoke(`consent:${consentId}`),
    endSessionAtClient: (sid) => revoke(`sid:${sid}`),
    signOutOfClient: (sid) => revoke(`sid:${sid}`, Math.max(sessionSeconds, accessTokenSeconds)),
    isSignedOut: (sid) => denylist.anyRevoked([`sid:${sid}`]),
    isClientRevoked: (clientId, tokenVersion) => denylist.anyRevoked([clientKey(clientId, tokenVersion)]),
    isRevoked: (token) => denylist.anyRevoked(revocationKeys(token)),
  };
}

/** Of these any revokes the token. */
export function revocationKeys(token: RevocationSubjects): RevocationKey[] {
  const { jti, family, consent, sid, clientId, clientTokenVersion } = token;
  const keys: RevocationKey[] = [`jti:${jti}`, clientKey(clientId, clientTokenVersion)];
  if (family !== undefined) keys.push(`family:${family}`);
  if (consent !== undefined) keys.push(`consent:${consent}`);
  if (sid !== undefined) keys.push(`sid:${sid}`);
  return keys;
}
