import type { Api } from '../../config/access-model.ts';
import type { ConsentStore } from '../../ports/consent-store.ts';
import type { ClientDirectory } from '../client-facts.ts';
import { firstPartyConsent, grantPayload, parseGrantId } from './grant-id.ts';

/** The payload of the library's Grant model. */
type GrantPayload = Record<string, unknown>;

/** What clients may have of people's accounts, as the library's grants. */
export interface Grants {
  /** For a new authorization: what there is now. */
  current(accountId: string, clientId: string): Promise<GrantPayload | undefined>;
  /** For what was issued before: undefined when the consent it was issued under was withdrawn, be there a new one or not. */
  byId(grantId: string): Promise<GrantPayload | undefined>;
}

export interface GrantsDeps {
  clients: Pick<ClientDirectory, 'find'>;
  consents: Pick<ConsentStore, 'find'>;
  apis: readonly Api[];
  issuer: string;
}

export function createGrants({ clients, consents, apis, issuer }: GrantsDeps): Grants {
  const grantOf = async (accountId: string, clientId: string, isWanted: (consentId: string) => boolean) => {
    const client = clients.find(clientId);
    if (!client) return undefined;
    if (client.firstParty)
      return grantPayload(firstPartyConsent(accountId, client, apis), issuer, client.scopes);
    const consent = await consents.find(accountId, clientId);
    return consent && isWanted(consent.id) ? grantPayload(consent, issuer, client.scopes) : undefined;
  };
  return {
    current: (accountId, clientId) => grantOf(accountId, clientId, () => true),
    byId: async (grantId) => {
      const { accountId, clientId, consentId } = parseGrantId(grantId) ?? {};
      return accountId && clientId ? grantOf(accountId, clientId, (id) => id === consentId) : undefined;
    },
  };
}
