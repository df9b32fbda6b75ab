import type { Accounts } from '../../accounts/accounts.ts';
import type { ClientDocument } from '../../clients/client-document.ts';
import type { ClientRegistry } from '../../clients/client-registry.ts';
import type { Api } from '../../config/access-model.ts';
import { protocolScopes } from '../../lib/oidc-scopes.ts';
import type { Agreement, Consent } from '../../ports/consent-store.ts';
import type { RecentReads } from '../../revocation/recent-reads.ts';
import type { PersonClaims } from '../sessions/accounts-view.ts';
import type { TokenPolicy } from './token-policy.ts';

/** The payload of the library's Grant model. */
type GrantPayload = Record<string, unknown>;

/** What a client may have of a person's account, as the payload of the library's grant. */
export interface Grants {
  /**
   * For a new authorization: the consent as it is now. The code keeps every scope that the person agreed to, so that a
   * role that is given back later brings its scopes back. Scopes that the person has no permission for and did not agree
   * to are marked as rejected, so that the consent page does not ask for them.
   */
  current(accountId: string, clientId: string): Promise<GrantPayload | undefined>;
  /**
   * For the tokens that are issued now under an earlier authorization: the consent, cut to the person's permissions.
   * Undefined when that consent was withdrawn, even if there is a new one.
   */
  byId(grantId: string): Promise<GrantPayload | undefined>;
  /** Whether `byId` gives a payload for a grant id with the given parts. It costs less. */
  isInForce(grant: GrantId): Promise<boolean>;
}

export interface GrantsOptions {
  clients: Pick<ClientRegistry, 'find'>;
  reads: Pick<RecentReads, 'account' | 'consent'>;
  accounts: Pick<Accounts, 'permissionsOf'>;
  policy: Pick<TokenPolicy, 'permitted'>;
  claims: PersonClaims['byScope'];
  apis: readonly Api[];
  issuer: string;
}

export function createGrants(options: GrantsOptions): Grants {
  const { clients, reads, accounts, policy, claims, apis, issuer } = options;
  /** With an entry for every API, because the OpenID Connect scopes are agreed to once for all of them. */
  const consentOf = async (accountId: string, client: ClientDocument) => {
    if (client.firstParty) return firstPartyConsent(accountId, client, apis);
    const consent = await reads.consent(accountId, client.id);
    const resourceScopes = apis.map(({ audience }) => [audience, consent?.resourceScopes[audience] ?? []]);
    return consent && { ...consent, resourceScopes: Object.fromEntries(resourceScopes) };
  };
  const isNamed = (client: ClientDocument, consent: Partial<Consent>, consentId: string | undefined) =>
    client.firstParty || consent.id === consentId;
  const permissionsOf = async (accountId: string) =>
    accounts.permissionsOf((await reads.account(accountId))?.roles ?? []);
  return {
    current: async (accountId, clientId) => {
      const client = clients.find(clientId);
      const consent = client && (await consentOf(accountId, client));
      if (!consent) return undefined;
      const permissions = await permissionsOf(accountId);
      const impossible = apis.map(({ audience, scopes }): [string, string[]] => {
        const names = scopes.map(({ name }) => name);
        const possible = [
          ...policy.permitted(names, permissions),
          ...(consent.resourceScopes[audience] ?? []),
        ];
        return [audience, names.filter((name) => !possible.includes(name))];
      });
      const known = { issuer, claims, listed: client.scopes };
      return grantPayload(consent, known, Object.fromEntries(impossible));
    },
    byId: async (grantId) => {
      const { accountId, clientId, consentId } = parseGrantId(grantId) ?? {};
      const client = clients.find(clientId ?? '');
      const consent: (Partial<Consent> & Agreement) | undefined =
        accountId && client ? await consentOf(accountId, client) : undefined;
      if (!accountId || !client || !consent) return undefined;
      if (!isNamed(client, consent, consentId)) return undefined;
      const permissions = await permissionsOf(accountId);
      const resourceScopes = Object.fromEntries(
        Object.entries(consent.resourceScopes).map(([audience, scopes]) => [
          audience,
          policy.permitted(scopes, permissions),
        ]),
      );
      return grantPayload({ ...consent, resourceScopes }, { issuer, claims, listed: client.scopes });
    },
    isInForce: async ({ accountId, clientId, consentId }) => {
      const client = clients.find(clientId);
      if (!client || client.firstParty) return client !== undefined;
      const consent = await reads.consent(accountId, clientId);
      return consent !== undefined && isNamed(client, consent, consentId);
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
  return [accountId, encodeURIComponent(clientId), ...(consentId === undefined ? [] : [consentId])].join(':');
}

/** A client id may be a URL, which has a colon. */
function decoded(clientId: string): string | undefined {
  try {
    return decodeURIComponent(clientId);
  } catch {
    return undefined;
  }
}

/** @returns the parts of a grant id, or undefined for any other text */
export function parseGrantId(grantId: string): GrantId | undefined {
  const [accountId, encodedId, consentId, ...rest] = grantId.split(':');
  if (!accountId || !encodedId || consentId === '' || rest.length > 0) return undefined;
  const clientId = decoded(encodedId);
  if (clientId === undefined) return undefined;
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
 * @param known.claims the claims of each scope
 * @param known.listed the scopes of the client's document
 * @param impossible the scopes of each audience that the person cannot give
 */
export function grantPayload(
  consent: Agreement & Partial<Pick<Consent, 'id'>>,
  known: { issuer: string; claims: PersonClaims['byScope']; listed: readonly string[] },
  impossible: Record<string, string[]> = {},
): Record<string, unknown> {
  const { accountId, clientId } = consent;
  const { issuer, claims, listed } = known;
  // A claim that is requested by name (Core §5.5) is granted with its scope. It is left out when the client's document
  // does not list that scope.
  const claimsOf = (scopes: readonly string[]) => scopes.flatMap((scope) => claims[scope] ?? []);
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
    rejected: {
      openid: { claims: claimsOf(protocolScopes.filter((scope) => !listed.includes(scope))) },
      resources: Object.fromEntries(
        Object.entries(impossible).map(([audience, scopes]) => [audience, scopes.join(' ')]),
      ),
    },
    resources,
  };
}
