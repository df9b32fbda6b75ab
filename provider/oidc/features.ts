import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { requestOrigin } from '../lib/request-scope.ts';
import { clientOf, orUnavailable } from './current-request.ts';
import { endSession } from './patches/internals.ts';
import type { OidcServices } from './services.ts';
import { mayIntrospect } from './tokens/introspection.ts';
import { resourceIndicators } from './tokens/token-policy.ts';

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
    requestObjects: {
      enabled: services.config.requestObjects,
      assertJwtClaimsAndHeader: refuseOtherJwt,
    },
    // For `SigningKey` in `provider-factory.ts`. `ack` names the version of the interface that we know: the library refuses another.
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    introspection: {
      enabled: true,
      // A refresh token has no audience.
      allowedPolicy: async (ctx, _client, token) =>
        mayIntrospect(clientOf(ctx), token.clientId, 'aud' in token ? String(token.aud) : ''),
    },
    revocation: {
      enabled: true,
      // RFC 7009 §2.1: a client revokes its own tokens only.
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => {
        if (!asksBeforeLogout(ctx)) return orUnavailable(() => endSession(ctx));
        const xsrf = /name="xsrf" value="(?<value>[\w-]+)"/.exec(form)?.groups?.value ?? '';
        const action = /action="(?<value>[^"]+)"/.exec(form)?.groups?.value ?? '';
        await orUnavailable(() => logout.confirm(ctx, { action, xsrf }));
      },
      postLogoutSuccessSource: (ctx) => orUnavailable(() => logout.done(ctx)),
    },
    resourceIndicators: resourceIndicators(services.policy, services.config.accessTokenSeconds),
  };
}

/**
 * RP-Initiated Logout §2 requires a question unless `id_token_hint` fits the session. A first-party client that sends such
 * a hint is trusted with the sign-out, and so is any other whose document says so.
 */
function asksBeforeLogout(ctx: KoaContextWithOIDC): boolean {
  const { client, session, entities } = ctx.oidc;
  const { sub } = (entities.IdTokenHint?.payload ?? {}) as { sub?: string };
  if (!client || sub === undefined) return true;
  const { firstParty, confirmLogout = !firstParty } = clientOf(ctx);
  const isOfSession = sub === session?.accountId && session.authorizations?.[client.clientId] !== undefined;
  return confirmLogout || !isOfSession;
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
    // The library formats the text that the person typed, which may have letters of full width. So the stored code is shown.
    userCodeConfirmSource: async (ctx, _form, _client, device) =>
      pages.confirm(ctx, { ...formOf(ctx), userCode: shownCode(ctx), device }),
    successSource: (ctx) => pages.done(ctx),
  };
}

/** RFC 9101 §10.8: a JWT that the client signed for another purpose is no request object. */
async function refuseOtherJwt(_ctx: unknown, { sub }: { sub?: unknown }, { typ }: { typ?: unknown }) {
  if (sub !== undefined) throw new errors.InvalidRequestObject('a request object must not have sub');
  const isOther = typ !== undefined && !/^(application\/)?(jwt|oauth-authz-req\+jwt)$/i.test(String(typ));
  if (isOther)
    throw new errors.InvalidRequestObject(
      'typ of a request object must be oauth-authz-req+jwt or JWT, or left out',
    );
}

/** The code that was found, as the device shows it. */
const shownCode = ({ oidc }: KoaContextWithOIDC) =>
  String(oidc.entities.DeviceCode?.userCode ?? '').replace(/^.{4}/, '$&-');
