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
  /** The scopes of all APIs, in the order of the configuration. */
  apiScopes: readonly string[];
  /** Whether these scopes include one of this audience's own. */
  hasApiScope(audience: string, scopes: Iterable<string>): boolean;
  /** The permissions that these scopes stand for at this audience. */
  permissionsOf(audience: string, scopes: Iterable<string>): Set<string>;
  /**
   * The scopes that an account with these permissions may have: API Gateway checks scopes only, so a scope of an API must
   * mean that the person has its permission. Scopes of no API are kept.
   */
  permitted(scopes: Iterable<string>, permissions: readonly string[]): string[];
}

/** @param issuer the audience of tokens that only userinfo accepts */
export function createTokenPolicy(apis: readonly Api[], issuer: string): TokenPolicy {
  const byAudience = new Map(apis.map((api) => [api.audience, api]));
  const permissionOf = new Map(
    apis.flatMap((api) => api.scopes.map(({ name, permission }) => [name, permission] as const)),
  );
  const scopesOf = (audience: string) => byAudience.get(audience)?.scopes ?? [];
  const hasApiScope = (audience: string, scopes: Iterable<string>) => {
    const asked: ReadonlySet<string> = scopes instanceof Set ? scopes : new Set(scopes);
    return scopesOf(audience).some(({ name }) => asked.has(name));
  };

  const defaultAudiences = (client: PolicyClient, requested: ReadonlySet<string>) => {
    const asked = apis.map((api) => api.audience).filter((audience) => hasApiScope(audience, requested));
    if (asked.length > 0) return preferred(client, asked);
    return [client.firstParty && client.defaultResource ? client.defaultResource : issuer];
  };
  const policy: TokenPolicy = {
    apiScopes: apis.flatMap(namesOf),
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
    permitted: (scopes, permissions) => {
      const needed = (scope: string) => permissionOf.get(scope);
      return [...scopes].filter((scope) => {
        const permission = needed(scope);
        return permission === undefined || permissions.includes(permission);
      });
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
      if (oneOf) {
        const useful = oneOf.filter((audience) =>
          policy.hasApiScope(audience, redeemedScopes(ctx, audience)),
        );
        const audiences = useful.length > 0 ? useful : oneOf;
        return preferred && audiences.includes(preferred) ? preferred : (audiences[0] ?? '');
      }
      const requested = new Set((ctx.oidc.params?.scope as string | undefined)?.split(' '));
      const named = audienceAsResource(policy, ctx, requested);
      if (named !== undefined) return named;
      const audiences = policy.defaultAudiences(client, requested);
      return audiences.length === 1 ? (audiences[0] ?? '') : [...audiences];
    },
    getResourceServerInfo: async (ctx: KoaContextWithOIDC, wanted: string) => {
      const client = clientOf(ctx);
      const asked = isRedemption(ctx) ? undefined : ctx.oidc.params?.scope;
      const requested = typeof asked === 'string' ? new Set(asked.split(' ')) : undefined;
      const audience = isCode(ctx) ? audienceOfCode(policy, ctx, wanted) : wanted;
      const { scopes } = policy.resource(client, audience, requested);
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

/**
 * SDKs of some providers name the API in a parameter `audience`, which is older than `resource` (RFC 8707). It means the
 * same where a `resource` with this value would be accepted. Anything else is ignored, as before.
 *
 * @param requested the requested scopes
 * @returns the audience, if the request names exactly one that the client may have, and no `resource`
 */
export function audienceAsResource(
  policy: Pick<TokenPolicy, 'resource'>,
  ctx: KoaContextWithOIDC,
  requested: ReadonlySet<string>,
): string | undefined {
  const { audience, resource } = ctx.oidc.params ?? {};
  if (typeof audience !== 'string' || audience === ctx.oidc.issuer || resource !== undefined)
    return undefined;
  try {
    return policy.resource(clientOf(ctx), audience, requested).audience;
  } catch {
    return undefined;
  }
}

const isCode = ({ oidc }: KoaContextWithOIDC) =>
  ['authorization_code', deviceCodeGrant].includes(String(oidc.params?.grant_type));

/** A code or refresh token has scopes that were checked when it was granted; a refresh may ask for fewer. */
const isRedemption = (ctx: KoaContextWithOIDC) =>
  isCode(ctx) || ctx.oidc.params?.grant_type === 'refresh_token';

/** The scopes of the code that is redeemed, as far as the person may have them at this audience now. */
function redeemedScopes(ctx: KoaContextWithOIDC, audience: string): Set<string> {
  const { AuthorizationCode, DeviceCode, Grant } = ctx.oidc.entities;
  const source = AuthorizationCode ?? DeviceCode;
  const granted = Grant?.getResourceScopeFiltered(audience, source?.scopes ?? new Set()).split(' ') ?? [];
  const listed = clientOf(ctx).scopes;
  return new Set(granted.filter((scope) => listed.includes(scope)));
}

/**
 * The audience of the token for a code. Scopes that the person has no permission for count as not asked for. So where
 * none of the API's scopes is left, the token is for another audience, unless the token request names the API.
 * @throws InvalidScope when no scope at all is left, and for a third party that names an API without a scope there
 */
function audienceOfCode(policy: TokenPolicy, ctx: KoaContextWithOIDC, wanted: string): string {
  const scopes = redeemedScopes(ctx, wanted);
  if (scopes.size === 0) throw nothingPermitted();
  const named = ctx.oidc.params?.resource === undefined ? undefined : wanted;
  return policy.audience(clientOf(ctx), scopes, named, [wanted]);
}

/** RFC 6749 §3.3 requires a scope in every response, so there is no token without one. */
export const nothingPermitted = (): errors.InvalidScope =>
  new errors.InvalidScope('this account has no permission for any of the scopes', '');
