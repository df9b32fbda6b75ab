import type { Api } from '../config/access-model.ts';
import type { Consent } from '../ports/consent-store.ts';
import { scopeClaims } from './scope-claims.ts';
import { protocolScopes } from './token-policy.ts';

/** There is one grant for each account and client, so its id says which; it is no bearer value. */
export function grantIdOf(accountId: string, clientId: string): string {
  return `${accountId}:${clientId}`;
}

/** @returns account and client of a grant id, or undefined when it isn't one */
export function parseGrantId(grantId: string): { accountId: string; clientId: string } | undefined {
  const [accountId, clientId, ...rest] = grantId.split(':');
  return accountId && clientId && rest.length === 0 ? { accountId, clientId } : undefined;
}

/** A first-party client's grant: everything its document lists. Computed, so a password sign-in costs no row. */
export function firstPartyConsent(
  accountId: string,
  client: { id: string; scopes: readonly string[] },
  apis: readonly Api[],
): Consent {
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
 * The payload the library's Grant model is made from. Each resource also holds the OpenID Connect scopes: the
 * library filters a token's scopes by resource, and ours carry both kinds (DESIGN §6.3).
 */
export function grantPayload(
  consent: Consent,
  issuer: string,
  listed: readonly string[],
): Record<string, unknown> {
  const oidc = consent.oidcScopes.join(' ');
  const resources: Record<string, string> = { [issuer]: oidc };
  for (const [audience, scopes] of Object.entries(consent.resourceScopes)) {
    resources[audience] = [...consent.oidcScopes, ...scopes].join(' ');
  }
  return {
    kind: 'Grant',
    jti: grantIdOf(consent.accountId, consent.clientId),
    accountId: consent.accountId,
    clientId: consent.clientId,
    openid: { scope: oidc, claims: claimsOf(consent.oidcScopes) },
    rejected: { openid: { claims: claimsOf(protocolScopes.filter((scope) => !listed.includes(scope))) } },
    resources,
  };
}

/** A claim asked for by name (Core §5.5) is granted with its scope; one whose scope the client's document doesn't list is left out. */
const claimsOf = (scopes: readonly string[]) => scopes.flatMap((scope) => scopeClaims[scope] ?? []);
