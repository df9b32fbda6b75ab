import type { Clock } from '../lib/clock.ts';
import type { Denylist, RevocationKey } from '../ports/denylist.ts';
import type { FamilyStore } from '../ports/family-store.ts';

export interface RevocationDeps {
  denylist: Denylist;
  families: Pick<FamilyStore, 'end'>;
  clock: Clock;
  accessTokenSeconds: number;
  /** Longer than any refresh token, code or request that could still open or rotate a family. */
  tombstoneSeconds: number;
  /** The longest a session lives. */
  sessionSeconds: number;
}

/** What an access token says of itself that could have been revoked. */
export interface TokenMarks {
  jti: string;
  family?: string | undefined;
  consent?: string | undefined;
  sid?: string | undefined;
  clientId: string;
}

/** Everything here can be repeated, and is in force in every process once it has resolved. */
export interface Revocation {
  /** Ends one access token. */
  revokeToken(jti: string): Promise<void>;
  /** Ends a family's refresh tokens for good, and its access tokens. */
  endFamily(familyId: string): Promise<void>;
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
  /** Ends a client's access tokens; for a client that is gone. One of the same id is refused for as long, too. */
  revokeClient(clientId: string): Promise<void>;
  /** One question to the denylist. */
  isRevoked(token: TokenMarks): Promise<boolean>;
}

/** For clocks that differ, and for a request that was issuing a token when it was revoked. */
const slackSeconds = 60;

/** What is revoked, and whether a token is. Entries live as long as a token they forbid could. */
export function createRevocation(deps: RevocationDeps): Revocation {
  const { denylist, families, clock, accessTokenSeconds, tombstoneSeconds, sessionSeconds } = deps;
  const revoke = (key: RevocationKey, seconds = accessTokenSeconds) =>
    denylist.revoke([key], clock.now() + (seconds + slackSeconds) * 1000);

  return {
    revokeToken: (jti) => revoke(`jti:${jti}`),
    endFamily: async (familyId) => {
      // The entry first: when the tombstone then fails, or the process dies, the family is still there to be ended by
      // who asks again; the other way round they would find nothing to end, and its access tokens would live on.
      const entryAt = clock.now();
      await revoke(`family:${familyId}`);
      await families.end(familyId, clock.now() + tombstoneSeconds * 1000);
      // A refresh before the tombstone may have made a token that outlives the entry, if the tombstone took that long.
      if (clock.now() - entryAt > (slackSeconds * 1000) / 2) await revoke(`family:${familyId}`);
    },
    endConsent: (consentId) => revoke(`consent:${consentId}`),
    endSessionAtClient: (sid) => revoke(`sid:${sid}`),
    signOutOfClient: (sid) => revoke(`sid:${sid}`, Math.max(sessionSeconds, accessTokenSeconds)),
    isSignedOut: (sid) => denylist.anyRevoked([`sid:${sid}`]),
    revokeClient: (clientId) => revoke(`client:${clientId}`),
    isRevoked: (token) => denylist.anyRevoked(revocationKeys(token)),
  };
}

/** Of these any revokes the token. */
export function revocationKeys({ jti, family, consent, sid, clientId }: TokenMarks): RevocationKey[] {
  const keys: RevocationKey[] = [`jti:${jti}`, `client:${clientId}`];
  if (family !== undefined) keys.push(`family:${family}`);
  if (consent !== undefined) keys.push(`consent:${consent}`);
  if (sid !== undefined) keys.push(`sid:${sid}`);
  return keys;
}
