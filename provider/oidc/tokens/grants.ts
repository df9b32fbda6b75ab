import type { ClientRegistry } from '../../clients/client-registry.ts';
import type { Api } from '../../config/access-model.ts';
import { protocolScopes } from '../../lib/oidc-scopes.ts';
import type { Agreement, Consent } from '../../ports/consent-store.ts';
import type { RecentReads } from '../../revocation/recent-reads.ts';
import { scopeClaims } from './scope-claims.ts';

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

/** The parts of a grant id. */
export interface GrantId {
  accountId: string;
  clientId: string;
  /** The consent that the id names. First-party clients need none. */
  consentId?: string | undefined;
}

/**
 * There is one grant for each account and client, and a new one for each consent: a token that was issued under a
 * withdrawn consent names a grant that is never created again. A grant id is not a secret: it gives no access.
 */
export function grantIdOf({ accountId, clientId, consentId }: GrantId): string {
  return [accountId, clientId, ...(consentId === undefined ? [] : [consentId])].join(':');
}

/** @returns the parts of a grant id, or undefined for any other text */
export function parseGrantId(grantId: string): GrantId | undefined {
  const [accountId, clientId, consentId, ...rest] = grantId.split(':');
  if (!accountId || !clientId || consentId === '' || rest.length > 0) return undefined;
  return consentId === undefined ? { accountId, clientId } : { accountId, clientId, consentId };
}

/**
 * A first-party client's grant: everything that its document lists. It is computed, so a password sign-in needs no row.
 */
export function firstPartyConsent(
  accountId: string,
  client: { id: string; scopes: readonly string[] },
  apis: readonly Api[],
): Agreement {
  const own = new Set(client.scopes);
  return {
    accountId,
    clientId: client.id,
    oidcScopes: protocolScopes.filter((scope) => own.has(scope)),
    resourceScopes: Object.fromEntries(
      apis.map((api) => [api.audience, api.scopes.map(({ name }) => name).filter((scope) => own.has(scope))]),
    ),
  };
}

/**
 * The payload of the library's Grant model. Each resource also has the OpenID Connect scopes: the library filters a
 * token's scopes by resource, and our tokens carry both kinds (DESIGN §6.3).
 */
export function grantPayload(
  consent: Agreement & Partial<Pick<Consent, 'id'>>,
  issuer: string,
  listed: readonly string[],
): Record<string, unknown> {
  const { accountId, clientId } = consent;
  const oidc = consent.oidcScopes.join(' ');
  const resources: Record<string, string> = { [issuer]: oidc };
  for (const [audience, scopes] of Object.entries(consent.resourceScopes)) {
    resources[audience] = [...consent.oidcScopes, ...scopes].join(' ');
  }
  return {
    kind: 'Grant',
    jti: grantIdOf({ accountId, clientId, consentId: consent.id }),
    accountId,
    clientId,
    openid: { scope: oidc, claims: claimsOf(consent.oidcScopes) },
    rejected: { openid: { claims: claimsOf(protocolScopes.filter((scope) => !listed.includes(scope))) } },
    resources,
  };
}

/**
 * A claim that is requested by name (Core §5.5) is granted with its scope. It is left out when the client's document
 * does not list that scope.
 */
const claimsOf = (scopes: readonly string[]) => scopes.flatMap((scope) => scopeClaims[scope] ?? []);
