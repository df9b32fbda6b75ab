import type { Api } from '../config/access-model.ts';
import type { PendingInteraction } from './interaction.ts';
import type { ConsentApi, ConsentScope } from './view-values.ts';

/** The access that a client requests from a person, limited to what the client's document lists. */
export interface RequestedConsent {
  oidcScopes: string[];
  resourceScopes: Record<string, string[]>;
}

export interface ConsentKnowledge {
  /** The permissions of an account with these roles. A scope of an API is requested only if the person has its permission. */
  permissionsOf(roles: readonly string[]): readonly string[];
  /** The OpenID Connect scopes known here. */
  protocolScopes: readonly string[];
  /** Returns the scope that a claim belongs to. */
  scopeOfClaim(claim: string): string | undefined;
  apis: readonly Api[];
}

/**
 * Returns the requested access, without scopes that the person cannot give. A claim that is requested by name (OpenID Connect Core §5.5) counts as a request for
 * its scope.
 */
export function requestedConsent(
  knowledge: ConsentKnowledge,
  interaction: PendingInteraction,
  { listed, roles }: { listed: readonly string[]; roles: readonly string[] },
): RequestedConsent {
  const byClaims = interaction.missingClaims.flatMap((claim) => knowledge.scopeOfClaim(claim) ?? []);
  const asked = new Set([...interaction.scopes, ...byClaims].filter((scope) => listed.includes(scope)));
  const permissions = knowledge.permissionsOf(roles);
  const apis = knowledge.apis.filter((api) => interaction.audiences.includes(api.audience));
  const scopesOf = (api: Api) => {
    const possible = api.scopes.filter(({ permission }) => permissions.includes(permission));
    return possible.map(({ name }) => name).filter((scope) => asked.has(scope));
  };
  return {
    oidcScopes: knowledge.protocolScopes.filter((scope) => asked.has(scope)),
    resourceScopes: Object.fromEntries(apis.map((api) => [api.audience, scopesOf(api)])),
  };
}

/** Returns the requested access with the descriptions from the configuration, for the page. */
export function describeConsent(
  apis: readonly Api[],
  consent: RequestedConsent,
): { scopes: ConsentScope[]; apis: ConsentApi[] } {
  const described = apis.flatMap((api) => {
    const names = consent.resourceScopes[api.audience] ?? [];
    const scopes = api.scopes.filter(({ name }) => names.includes(name));
    return scopes.length > 0 ? [{ name: api.name, scopes }] : [];
  });
  return { scopes: consent.oidcScopes.map((name) => ({ name })), apis: described };
}
