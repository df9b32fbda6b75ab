import type { Consent, ConsentStore } from '../../ports/consent-store.ts';

export interface WithdrawConsentDeps {
  consents: Pick<ConsentStore, 'find'>;
  /** Ends the access tokens issued under a consent, and those that are issued in the next moment. */
  endConsent(consentId: string): Promise<void>;
  /** False when this consent stood no more. */
  withdraw(consent: Consent): Promise<boolean>;
  /** Takes the families of an account at a client off the list, and ends them. */
  endFamilies(accountId: string, clientId: string): Promise<void>;
}

/** Gives false when there was nothing to withdraw. */
export type WithdrawConsent = (accountId: string, clientId: string) => Promise<boolean>;

/**
 * Takes back what a client was allowed. Whatever was issued under the consent names it, and its id never comes again: so
 * codes and refresh tokens are dead for good the moment it is gone, whether or not anybody still knows of them.
 */
export function createWithdrawConsent(deps: WithdrawConsentDeps): WithdrawConsent {
  return async (accountId, clientId) => {
    const consent = await deps.consents.find(accountId, clientId);
    if (!consent) return false;
    // Access tokens first: when this fails halfway the consent still stands, and withdrawing it again ends the rest.
    await deps.endConsent(consent.id);
    const withdrawn = await deps.withdraw(consent);
    await deps.endFamilies(accountId, clientId);
    return withdrawn;
  };
}
