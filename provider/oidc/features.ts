import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { deviceCodeGrant } from '../lib/device-code-grant.ts';
import { requestOrigin } from '../lib/request-scope.ts';
import { clientOf } from './current-request.ts';
import type { OidcServices } from './services.ts';
import { orUnavailable } from './unavailable.ts';

type Features = NonNullable<Configuration['features']>;

/** The library's features, one row each: whether it is on, and our decisions in it. */
export function features(services: OidcServices): Features {
  const { logout } = services.pages;
  return {
    devInteractions: { enabled: false },
    deviceFlow: deviceFlow(services.pages.device),
    registration: { enabled: false },
    userinfo: { enabled: true },
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    claimsParameter: { enabled: true },
    dPoP: { enabled: true },
    // For `tokens/signing-key.ts`. `ack` names the version of the interface that we know: the library refuses another.
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    introspection: { enabled: true, allowedPolicy: mayIntrospect },
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
        await orUnavailable(() => logout.confirm(ctx, { action, xsrf }));
      },
      postLogoutSuccessSource: (ctx) => orUnavailable(() => logout.done(ctx)),
    },
    resourceIndicators: resourceIndicators(services),
  };
}

/**
 * A code has eight letters out of 20 consonants. That gives 34 bits, and the letters form no word. A code is valid for
 * ten minutes (RFC 8628 §6.1).
 */
function deviceFlow(pages: OidcServices['pages']['device']): Features['deviceFlow'] {
  if (!pages) return { enabled: false };
  const formOf = ({ oidc }: KoaContextWithOIDC) => ({
    action: oidc.urlFor('code_verification'),
    xsrf: String(oidc.session?.state?.secret ?? ''),
  });
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: () => ({ ...requestOrigin() }),
    userCodeInputSource: async (ctx, _form, out, error) =>
      pages.ask(ctx, formOf(ctx), out && error && { out, error }),
    userCodeConfirmSource: async (ctx, _form, _client, device, userCode) =>
      pages.confirm(ctx, { ...formOf(ctx), userCode, device }),
    successSource: (ctx) => pages.done(ctx),
  };
}

/** A client may introspect its own tokens; others only when its document says that it answers for their API. */
async function mayIntrospect(
  ctx: KoaContextWithOIDC,
  client: { clientId: string },
  token: { clientId?: string | undefined; aud?: string | string[] | undefined },
) {
  if (token.clientId === client.clientId) return true;
  const audiences = [token.aud ?? []].flat();
  return audiences.some((audience) => clientOf(ctx).introspects.includes(audience));
}

/** RFC 8707. Every access token is a JWT for exactly one audience. */
function resourceIndicators({ policy, config }: Pick<OidcServices, 'policy' | 'config'>) {
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
        accessTokenTTL: config.accessTokenSeconds,
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
