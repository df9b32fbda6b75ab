import type { NewEvent } from '../../events/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import { noteAccount } from '../../lib/request-scope.ts';
import type { Agreement, Consent, ConsentStore } from '../../ports/consent-store.ts';
import type { UnitOfWork } from '../../ports/unit-of-work.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import type { SignIns } from './sign-ins.ts';

/** The consents that people gave to clients. */
export interface Consents {
  /** An account's consents, the oldest first. */
  list(accountId: string): Promise<Consent[]>;
  /** Stores what the person agreed to, with its event, in one transaction. */
  add(agreement: Agreement): Promise<void>;
  /** Withdraws a consent and ends everything issued under it. False when there was none. */
  withdraw(accountId: string, clientId: string): Promise<boolean>;
}

export interface ConsentsOptions {
  store: Pick<ConsentStore, 'find' | 'list'>;
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  clock: Clock;
  revocation: Pick<Revocation, 'endConsent'>;
  signIns: Pick<SignIns, 'end'>;
  /** Called when the list of sign-ins could not be updated; everything is ended all the same. */
  unlistFailed(error: unknown): void;
}

/**
 * Every code and token that is issued under a consent has the id of the consent, and an id is never used again. So
 * codes and refresh tokens are invalid as soon as the consent is withdrawn, even if a store still has them.
 */
export function createConsents(options: ConsentsOptions): Consents {
  const { store, unitOfWork, newEvent, clock, revocation, signIns } = options;
  const withdrawStored = (consent: Consent) => {
    const { accountId, clientId } = consent;
    return unitOfWork.run(async ({ consents, outbox, clientSessions }) => {
      if (!(await consents.withdraw(consent))) return false;
      await clientSessions.end({ accountId, clientId }, clock.now());
      await outbox.append(newEvent('consent.withdrawn', accountId, { id: accountId, clientId }));
      return true;
    });
  };
  return {
    list: (accountId) => store.list(accountId),
    add: async (agreement) => {
      const { accountId, clientId } = agreement;
      noteAccount(accountId);
      await unitOfWork.run(async ({ consents, outbox }) => {
        const { consent } = await consents.add(agreement, clock.now());
        const data = { id: accountId, clientId, ...scopesOf(consent) };
        await outbox.append(newEvent('consent.granted', accountId, data));
      });
    },
    withdraw: async (accountId, clientId) => {
      const consent = await store.find(accountId, clientId);
      if (!consent) return false;
      // Access tokens first: if this fails halfway the consent still exists, and withdrawing it again ends the rest.
      await revocation.endConsent(consent.id);
      const withdrawn = await withdrawStored(consent);
      await signIns
        .end(accountId, (entry) => entry.kind === 'family' && entry.clientId === clientId)
        .catch(options.unlistFailed);
      return withdrawn;
    },
  };
}

function scopesOf({ oidcScopes, resourceScopes }: Agreement): { scopes: string[]; audiences: string[] } {
  const scopes = [...oidcScopes, ...Object.values(resourceScopes).flat()];
  return { scopes: [...new Set(scopes)], audiences: Object.keys(resourceScopes) };
}
