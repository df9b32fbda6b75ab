import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { deviceCodeGrant } from '../lib/device-code-grant.ts';
import type { ClientDirectory } from './client-facts.ts';
import type { TokenPolicy } from './tokens/token-policy.ts';
import { orUnavailable } from './unavailable.ts';

export interface LogoutPages {
  confirm(ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void>;
  done(ctx: KoaContextWithOIDC): Promise<void>;
}

/** RFC 8628 §3.3, for the person who holds the device. */
export interface DevicePages {
  /** Asks for the code; with what was wrong the last time. */
  ask(ctx: KoaContextWithOIDC, form: DeviceForm, failed?: { out: ErrorOut; error: Error }): Promise<void>;
  confirm(
    ctx: KoaContextWithOIDC,
    form: DeviceForm & { userCode: string; device: DeviceOrigin },
  ): Promise<void>;
  done(ctx: KoaContextWithOIDC): Promise<void>;
}

interface ErrorOut {
  error: string;
  error_description?: string | undefined;
}

interface DeviceForm {
  action: string;
  xsrf: string;
}

/** Where a device asks from. */
export interface DeviceOrigin {
  ip?: string | undefined;
  userAgent?: string | undefined;
}

export interface FeatureDeps {
  clients: ClientDirectory;
  policy: TokenPolicy;
  accessTokenLifetimeSeconds: number;
  logoutPages: LogoutPages;
  /** Left out where devices can't be let in. */
  devicePages?: DevicePages | undefined;
  /** Of the request under way. */
  origin(): DeviceOrigin;
}

type Features = NonNullable<Configuration['features']>;

/** Which of the library's features are on, one row each, and what we decide in them. */
export function features(deps: FeatureDeps): Features {
  return {
    devInteractions: { enabled: false },
    deviceFlow: deviceFlow(deps),
    registration: { enabled: false },
    userinfo: { enabled: true },
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    claimsParameter: { enabled: true },
    dPoP: { enabled: true },
    // For `signing-key.ts`. The name says which shape of it we know: the library refuses to start with another.
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    introspection: { enabled: true, allowedPolicy: introspectionPolicy(deps.clients) },
    revocation: {
      enabled: true,
      // RFC 7009 §2.1: a client revokes its own tokens only.
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => {
        const xsrf = /name="xsrf" value="(?<value>[\w-]+)"/.exec(form)?.groups?.value ?? '';
        const action = /action="(?<value>[^"]+)"/.exec(form)?.groups?.value ?? '';
        await orUnavailable(() => deps.logoutPages.confirm(ctx, { action, xsrf }));
      },
      postLogoutSuccessSource: (ctx) => orUnavailable(() => deps.logoutPages.done(ctx)),
    },
    resourceIndicators: resourceIndicators(deps),
  };
}

/** Codes of 20 consonants in twice four: 34 bits that nobody mistakes for a word, for ten minutes (RFC 8628 §6.1). */
function deviceFlow({ devicePages, origin }: FeatureDeps): Features['deviceFlow'] {
  if (!devicePages) return { enabled: false };
  const formOf = ({ oidc }: KoaContextWithOIDC) => ({
    action: oidc.urlFor('code_verification'),
    xsrf: String(oidc.session?.state?.secret ?? ''),
  });
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: () => ({ ...origin() }),
    userCodeInputSource: async (ctx, _form, out, error) =>
      devicePages.ask(ctx, formOf(ctx), out && error && { out, error }),
    userCodeConfirmSource: async (ctx, _form, _client, device, userCode) =>
      devicePages.confirm(ctx, { ...formOf(ctx), userCode, device }),
    successSource: (ctx) => devicePages.done(ctx),
  };
}

/** A client learns of its own tokens; of others' only where its document says it answers for their API. */
function introspectionPolicy(clients: ClientDirectory) {
  return async (
    _ctx: KoaContextWithOIDC,
    client: { clientId: string },
    token: { clientId?: string | undefined; aud?: string | string[] | undefined },
  ) => {
    if (token.clientId === client.clientId) return true;
    const audiences = [token.aud ?? []].flat();
    return audiences.some((audience) => clients.find(client.clientId)?.introspects.includes(audience));
  };
}

/** RFC 8707. Every access token is a JWT for exactly one audience. */
function resourceIndicators({ clients, policy, accessTokenLifetimeSeconds }: FeatureDeps) {
  const factsOf = (clientId: string) => {
    const facts = clients.find(clientId);
    if (!facts) throw new errors.InvalidClient('client is unknown');
    return facts;
  };
  return {
    enabled: true,
    useGrantedResource: async () => true,
    defaultResource: async (
      ctx: KoaContextWithOIDC,
      client: { clientId: string },
      oneOf?: readonly string[],
    ) => {
      const facts = factsOf(client.clientId);
      const requested = new Set((ctx.oidc.params?.scope as string | undefined)?.split(' '));
      const audiences = oneOf ?? policy.defaultAudiences(facts, requested);
      const preferred = facts.defaultResource;
      if (oneOf) return preferred && oneOf.includes(preferred) ? preferred : (oneOf[0] ?? '');
      return audiences.length === 1 ? (audiences[0] ?? '') : [...audiences];
    },
    getResourceServerInfo: async (
      ctx: KoaContextWithOIDC,
      audience: string,
      client: { clientId: string },
    ) => {
      const asked = isRedemption(ctx) ? undefined : ctx.oidc.params?.scope;
      const requested = typeof asked === 'string' ? new Set(asked.split(' ')) : undefined;
      const { scopes } = policy.resource(factsOf(client.clientId), audience, requested);
      return {
        audience,
        scope: scopes.join(' '),
        accessTokenFormat: 'jwt' as const,
        accessTokenTTL: accessTokenLifetimeSeconds,
        jwt: { sign: { alg: 'RS256' as const } },
      };
    },
  };
}

/** A code or refresh token has its scopes already, checked when it was granted; a refresh may ask for fewer. */
function isRedemption(ctx: KoaContextWithOIDC): boolean {
  const grantType = ctx.oidc.params?.grant_type;
  return ['authorization_code', 'refresh_token', deviceCodeGrant].includes(String(grantType));
}
