import type { ClientRegistry } from '../../clients/client-registry.ts';
import type { Api } from '../../config/access-model.ts';
import type { RecentReads } from '../../revocation/recent-reads.ts';
import { firstPartyConsent, grantPayload, parseGrantId } from './grant-id.ts';

/** The payload of the library's Grant model. */
type GrantPayload = Record<string, unknown>;

/** What a client may have of a person's account, as the payload of the library's grant. */
export interface Grants {
  /** For a new authorization: the consent as it is now. */
  current(accountId: string, clientId: string): Promise<GrantPayload | undefined>;
  /** For a token that was issued before: undefined when its consent was withdrawn, even if there is a new one. */
  byId(grantId: string): Promise<GrantPayload | undefined>;
}

export interface GrantsOptions {
  clients: Pick<ClientRegistry, 'find'>;
  reads: Pick<RecentReads, 'consent'>;
  apis: readonly Api[];
  issuer: string;
}

export function createGrants({ clients, reads, apis, issuer }: GrantsOptions): Grants {
  const grantOf = async (accountId: string, clientId: string, isWanted: (consentId: string) => boolean) => {
    const client = clients.find(clientId);
    if (!client) return undefined;
    if (client.firstParty)
      return grantPayload(firstPartyConsent(accountId, client, apis), issuer, client.scopes);
    const consent = await reads.consent(accountId, clientId);
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
