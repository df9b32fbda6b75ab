import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientDocument } from '../../clients/client-document.ts';
import type { Api } from '../../config/access-model.ts';
import { deviceCodeGrant } from '../../lib/device-code-grant.ts';
import { protocolScopes } from '../../lib/oidc-scopes.ts';
import { clientOf } from '../current-request.ts';

/** The fields of a client's document that decide about audiences and scopes. */
export type PolicyClient = Pick<ClientDocument, 'firstParty' | 'scopes' | 'defaultResource'>;

/** An audience with the scopes a client may have there. */
export interface GrantableResource {
  audience: string;
  scopes: string[];
}

/** The audience and the scopes that a token gets: DESIGN §4, 'APIs and scopes'. */
export interface TokenPolicy {
  /** The audiences of a request without `resource` (RFC 8707 §2): the APIs whose scopes it asks for, or the issuer. */
  defaultAudiences(client: PolicyClient, requested: ReadonlySet<string>): string[];
  /**
   * What the client may have at this audience.
   * @param requested the requested scopes, if any
   * @throws InvalidScope for a requested scope that the client's document does not list, and for a third party that
   *   names an API but none of its scopes; InvalidTarget (RFC 8707 §2) for an audience that is unknown or not the
   *   client's
   */
  resource(client: PolicyClient, audience: string, requested?: ReadonlySet<string>): GrantableResource;
  /**
   * The one audience of a token that is issued at the token endpoint.
   * @param asked the request's `resource` parameter; only one is allowed
   * @param granted the audiences to choose from, when a grant has fixed them
   */
  audience(
    client: PolicyClient,
    scopes: ReadonlySet<string>,
    asked: unknown,
    granted?: readonly string[],
  ): string;
  /** Whether these scopes include one of this audience's own. */
  hasApiScope(audience: string, scopes: Iterable<string>): boolean;
  /** The permissions that these scopes stand for at this audience. */
  permissionsOf(audience: string, scopes: Iterable<string>): Set<string>;
}

/** @param issuer the audience of tokens that only userinfo accepts */
export function createTokenPolicy(apis: readonly Api[], issuer: string): TokenPolicy {
  const byAudience = new Map(apis.map((api) => [api.audience, api]));
  const scopesOf = (audience: string) => byAudience.get(audience)?.scopes ?? [];
  const hasApiScope = (audience: string, scopes: Iterable<string>) => {
    const asked = new Set(scopes);
    return scopesOf(audience).some(({ name }) => asked.has(name));
  };

  const defaultAudiences = (client: PolicyClient, requested: ReadonlySet<string>) => {
    const asked = apis.map((api) => api.audience).filter((audience) => hasApiScope(audience, requested));
    if (asked.length > 0) return preferred(client, asked);
    return [client.firstParty && client.defaultResource ? client.defaultResource : issuer];
  };
  const policy: TokenPolicy = {
    hasApiScope,
    defaultAudiences,
    audience: (client, scopes, asked, granted) => {
      if (asked !== undefined && typeof asked !== 'string')
        throw new errors.InvalidTarget('only one resource can be asked for here');
      const candidates = defaultAudiences(client, scopes);
      const chosen = candidates.find((one) => !granted || granted.includes(one)) ?? issuer;
      const audience = asked ?? chosen;
      if (granted && audience !== issuer && !granted.includes(audience)) throw new errors.InvalidTarget();
      policy.resource(client, audience, scopes);
      return audience;
    },
    resource: (client, audience, requested) => {
      if (audience === issuer) return { audience, scopes: oidcScopesOf(client) };
      const api = byAudience.get(audience);
      if (!api) throw new errors.InvalidTarget(`resource ${printable(audience)} is not an API known here`);
      const listed = namesOf(api).filter((scope) => client.scopes.includes(scope));
      if (requested) refuseUnlisted(api, listed, requested);
      if (listed.length === 0 && client.defaultResource !== audience)
        throw new errors.InvalidTarget(`this client may not have tokens for ${audience}`);
      if (requested && !client.firstParty) needOneOf(api, listed, requested);
      return { audience, scopes: [...oidcScopesOf(client), ...listed] };
    },
    permissionsOf: (audience, scopes) => {
      const granted = new Set(scopes);
      const permissions = scopesOf(audience).flatMap(({ name, permission }) =>
        granted.has(name) ? [permission] : [],
      );
      return new Set(permissions);
    },
  };
  return policy;
}

const namesOf = (api: Api) => api.scopes.map(({ name }) => name);

const oidcScopesOf = (client: PolicyClient) =>
  protocolScopes.filter((scope) => client.scopes.includes(scope));

/**
 * Puts the client's default audience first. A token request that names none of several audiences gets the first one.
 */
function preferred(client: PolicyClient, audiences: string[]): string[] {
  const first = client.defaultResource;
  if (!first || !audiences.includes(first)) return audiences;
  return [first, ...audiences.filter((audience) => audience !== first)];
}

function refuseUnlisted(api: Api, listed: string[], requested: ReadonlySet<string>): void {
  const refused = namesOf(api).find((scope) => requested.has(scope) && !listed.includes(scope));
  if (refused) throw new errors.InvalidScope(`this client may not ask for ${refused}`, refused);
}

function needOneOf(api: Api, listed: string[], requested: ReadonlySet<string>): void {
  if (listed.some((scope) => requested.has(scope))) return;
  throw new errors.InvalidScope(
    `a token for ${api.audience} needs one of its scopes: ${listed.join(', ')}`,
    listed.join(' '),
  );
}

const printable = (text: string) => text.replace(/[^\x21-\x7e]/g, '?').slice(0, 200);

/** The library's feature for RFC 8707. Every access token is a JWT for exactly one audience. */
export function resourceIndicators(policy: TokenPolicy, accessTokenSeconds: number) {
  return {
    enabled: true,
    useGrantedResource: async () => true,
    defaultResource: async (ctx: KoaContextWithOIDC, _client: object, oneOf?: readonly string[]) => {
      const client = clientOf(ctx);
      const preferred = client.defaultResource;
      if (oneOf) return preferred && oneOf.includes(preferred) ? preferred : (oneOf[0] ?? '');
      const requested = new Set((ctx.oidc.params?.scope as string | undefined)?.split(' '));
      const audiences = policy.defaultAudiences(client, requested);
      return audiences.length === 1 ? (audiences[0] ?? '') : [...audiences];
    },
    getResourceServerInfo: async (ctx: KoaContextWithOIDC, audience: string) => {
      const asked = isRedemption(ctx) ? undefined : ctx.oidc.params?.scope;
      const requested = typeof asked === 'string' ? new Set(asked.split(' ')) : undefined;
      const { scopes } = policy.resource(clientOf(ctx), audience, requested);
      return {
        audience,
        scope: scopes.join(' '),
        accessTokenFormat: 'jwt' as const,
        accessTokenTTL: accessTokenSeconds,
        jwt: { sign: { alg: 'RS256' as const } },
      };
    },
  };
}

/** A code or refresh token has scopes that were checked when it was granted; a refresh may ask for fewer. */
function isRedemption(ctx: KoaContextWithOIDC): boolean {
  const grantType = ctx.oidc.params?.grant_type;
  return ['authorization_code', 'refresh_token', deviceCodeGrant].includes(String(grantType));
}
