import type { ClientDocument } from '../clients/client-document.ts';
import { type Announcer, createAnnouncer } from '../events/announcer.ts';
import { createEvent, type EventOrigin, type EventType } from '../events/catalogue.ts';
import type { CurrentKeys } from '../keys/key-ring.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { currentRequestScope, noteAccount } from '../lib/request-scope.ts';
import type { Agreement, Consent } from '../ports/consent-store.ts';
import type { FamilyStore } from '../ports/family-store.ts';
import type { OutboxEvent } from '../ports/outbox.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { Revocation } from '../revocation/revocation.ts';

export interface AuditDeps {
  unitOfWork: UnitOfWork;
  families: Pick<FamilyStore, 'find'>;
  clock: Clock;
  logger: Pick<Logger, 'warn' | 'error'>;
  /** Who acts where no request is under way; nobody known unless given. */
  actor?: string | undefined;
}

/** Who did what to which account, client or key, from which address, as events of the outbox. */
export interface Audit {
  newEvent(type: EventType, subject: string, data: Record<string, unknown>): OutboxEvent;
  /** For what was done in a store that has no part in a transaction. Never rejects. */
  tell(type: EventType, subject: string, data: Record<string, unknown>): Promise<void>;
  /** Remembers what was agreed to, and tells it, in one transaction. */
  addConsent(agreement: Agreement): Promise<void>;
  /** Takes it back, and tells it, in one transaction. False, and nothing told, when this consent stood no more. */
  withdrawConsent(consent: Consent): Promise<boolean>;
  /** The same revocation, which tells of every family that it ends. */
  revocation(revocation: Revocation): AuditedRevocation;
  clientsAre(source: string, clients: readonly ClientDocument[]): Promise<void>;
  keysAre(keys: CurrentKeys): Promise<void>;
  /** Tries again what couldn't be told of clients and keys. */
  retry: Announcer['retry'];
}

export interface AuditedRevocation extends Revocation {
  /** Ends the family of a spent refresh token that came again. */
  endReusedFamily(familyId: string): Promise<void>;
}

export function createAudit({ unitOfWork, families, clock, logger, actor }: AuditDeps): Audit {
  const announcer = createAnnouncer({ unitOfWork, logger });
  const newEvent: Audit['newEvent'] = (type, subject, data) =>
    createEvent(type, subject, data, { clock, origin: { actor, ...requestOrigin() } });
  const tell: Audit['tell'] = async (type, subject, data) => {
    try {
      const event = newEvent(type, subject, data);
      await unitOfWork.run(({ outbox }) => outbox.append(event));
    } catch (error) {
      logger.error({ err: error, type, subject }, 'an event of the audit could not be written');
    }
  };
  return {
    newEvent,
    tell,
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
    revocation: (revocation) => audited(revocation, families, tell),
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

function audited(
  revocation: Revocation,
  families: AuditDeps['families'],
  tell: Audit['tell'],
): AuditedRevocation {
  const end = async (familyId: string, type: 'family.ended' | 'token.reuse_detected') => {
    // Whose it was is known only as long as it stands; that it ends matters more than that it is told.
    const family = await families.find(familyId).catch(() => undefined);
    await revocation.endFamily(familyId);
    if (family === undefined) return;
    const { accountId, clientId } = family;
    await tell(type, accountId, { id: accountId, clientId, familyId });
  };
  return {
    ...revocation,
    endFamily: (familyId) => end(familyId, 'family.ended'),
    endReusedFamily: (familyId) => end(familyId, 'token.reuse_detected'),
  };
}
