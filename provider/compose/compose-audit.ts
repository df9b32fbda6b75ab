import { createHash } from 'node:crypto';
import type { ClientDocument } from '../clients/client-document.ts';
import { type Announcer, createAnnouncer } from '../events/announcer.ts';
import { createEvent, type EventOrigin, type EventStamp, type EventType } from '../events/catalogue.ts';
import type { CurrentKeys } from '../keys/key-ring.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { currentRequestScope, noteAccount } from '../lib/request-scope.ts';
import type { Agreement, Consent } from '../ports/consent-store.ts';
import type { OutboxEvent } from '../ports/outbox.ts';
import type { RevocationEntry } from '../ports/revocation-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { Revocation } from '../revocation/revocation.ts';

export interface AuditDeps {
  unitOfWork: UnitOfWork;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  /** Who acts where no request is under way; nobody known unless given. */
  actor?: string | undefined;
}

/** Who did what to which account, client or key, from which address, as events of the outbox. */
export interface Audit {
  newEvent(type: EventType, subject: string, data: Record<string, unknown>): OutboxEvent;
  /** Remembers what was agreed to, and tells it, in one transaction. */
  addConsent(agreement: Agreement): Promise<void>;
  /** Takes it back, and tells it, in one transaction. False, and nothing told, when this consent stood no more. */
  withdrawConsent(consent: Consent): Promise<boolean>;
  /**
   * The same revocation, which tells of every family and session that it ends: once, in one transaction with what
   * forbids them. `copy` makes entries that last known to other processes; it never rejects.
   */
  revocation(revocation: Revocation, copy: CopyEntry): AuditedRevocation;
  clientsAre(source: string, clients: readonly ClientDocument[]): Promise<void>;
  keysAre(keys: CurrentKeys): Promise<void>;
  /** Tries again what couldn't be told of clients and keys. */
  retry: Announcer['retry'];
}

type CopyEntry = (keys: [RevocationEntry['key']], expiresAt: number) => Promise<void>;

export interface EndedSession {
  uid: string;
  accountId: string;
  /** The handle under which it is shown. */
  sessionId: string;
  /** Milliseconds since the epoch: when it would end by itself. */
  expiresAt: number;
}

export interface AuditedRevocation extends Omit<Revocation, 'endFamily' | 'endSession'> {
  endFamily(familyId: string): Promise<void>;
  /** Ends the family of a spent refresh token that came again. */
  endReusedFamily(familyId: string): Promise<void>;
  endSession(session: EndedSession): Promise<void>;
}

export function createAudit({ unitOfWork, clock, logger, actor }: AuditDeps): Audit {
  const announcer = createAnnouncer({ unitOfWork, logger });
  const stamp = () => ({ clock, origin: { actor, ...requestOrigin() } });
  const newEvent: Audit['newEvent'] = (type, subject, data) => createEvent(type, subject, data, stamp());
  return {
    newEvent,
    addConsent: (agreement) => {
      const { accountId, clientId } = agreement;
      noteAccount(accountId);
      return unitOfWork.run(async ({ consents, outbox }) => {
        const { consent: agreed } = await consents.add(agreement, clock.now());
        const data = { id: accountId, clientId, ...scopesOf(agreed) };
        await outbox.append(newEvent('consent.granted', accountId, data));
      });
    },
    withdrawConsent: (consent) => {
      const { accountId, clientId } = consent;
      return unitOfWork.run(async ({ consents, outbox }) => {
        if (!(await consents.withdraw(consent))) return false;
        await outbox.append(newEvent('consent.withdrawn', accountId, { id: accountId, clientId }));
        return true;
      });
    },
    revocation: (revocation, copy) =>
      audited(revocation, async ({ key, expiresAt }, ending) => {
        await unitOfWork.run(async ({ denylist, outbox }) => {
          await denylist.revoke([key], expiresAt);
          if (ending) await outbox.append(endingEvent(ending, stamp()));
        });
        await copy([key], expiresAt);
      }),
    clientsAre: (source, clients) =>
      announcer.announce({
        topic: `clients of ${source}`,
        members: new Map(clients.map((client) => [client.id, client])),
        event: (difference) => newEvent('clients.changed', `clients:${source}`, { source, ...difference }),
      }),
    keysAre: ({ kept }) =>
      announcer.announce({
        topic: 'keys',
        // When a key signs and retires was decided when the set was changed; its state follows from the time alone.
        members: new Map(kept.map(({ kid, signsFrom, retiredAt }) => [kid, { signsFrom, retiredAt }])),
        event: (difference) => newEvent('keys.changed', 'keys', { ...difference }),
      }),
    retry: announcer.retry,
  };
}

/** Who makes the request under way: the person where one is known, else the app. */
function requestOrigin(): EventOrigin | undefined {
  const scope = currentRequestScope();
  return scope && { actor: scope.accountId ?? scope.clientId, ip: scope.clientAddress };
}

function scopesOf({ oidcScopes, resourceScopes }: Agreement): { scopes: string[]; audiences: string[] } {
  const scopes = [...oidcScopes, ...Object.values(resourceScopes).flat()];
  return { scopes: [...new Set(scopes)], audiences: Object.keys(resourceScopes) };
}

/** What an end is told as. `of` is what ended, by a name that stays the same however often that is tried. */
interface Ending {
  type: 'family.ended' | 'token.reuse_detected' | 'session.ended';
  of: string;
  accountId: string;
  data: Record<string, unknown>;
}

/** Its id follows from what ended, so that of all who end it at once, or once more, one tells it. */
function endingEvent({ type, of, accountId, data }: Ending, stamp: EventStamp): OutboxEvent {
  const id = `evt_${createHash('sha256').update(`${type} ${of}`).digest('base64url').slice(0, 22)}`;
  return createEvent(type, accountId, { id: accountId, ...data }, { ...stamp, id });
}

function audited(
  revocation: Revocation,
  write: (entry: RevocationEntry, ending: Ending | undefined) => Promise<void>,
): AuditedRevocation {
  const endFamily = (familyId: string, type: Ending['type']) =>
    revocation.endFamily(familyId, (entry, family) => {
      if (!family) return write(entry, undefined);
      const { accountId, clientId } = family;
      return write(entry, { type, of: familyId, accountId, data: { clientId, familyId } });
    });
  return {
    ...revocation,
    endFamily: (familyId) => endFamily(familyId, 'family.ended'),
    endReusedFamily: (familyId) => endFamily(familyId, 'token.reuse_detected'),
    endSession: ({ uid, accountId, sessionId, expiresAt }) =>
      revocation.endSession(uid, expiresAt, (entry) =>
        write(entry, { type: 'session.ended', of: sessionId, accountId, data: { sessionId } }),
      ),
  };
}
