import Keygrip from 'keygrip';
import type { Configuration, JWKS, KoaContextWithOIDC } from 'oidc-provider';
import type { Config } from '../config/schema.ts';
import { clientAssertionAlgs } from '../lib/client-assertion-algs.ts';
import { type Clock, epochSeconds } from '../lib/clock.ts';
import { protocolScopes } from '../lib/oidc-scopes.ts';
import { anonymousRecord } from '../ports/oidc-store.ts';
import { checkClientAssertion } from './client-assertion.ts';
import { clientOf, currentContext, orUnavailable } from './current-request.ts';
import { features } from './features.ts';
import { reportIgnored } from './ignored-parameters.ts';
import { checkAuthorizationRequest, interactionPolicy, requirePkce } from './interaction-policy.ts';
import { createOutgoingFetch } from './outgoing-requests.ts';
import { deviceCodeSeconds } from './patches/device-codes.ts';
import type { OidcServices } from './services.ts';
import { findOidcAccount, isCodeAlive, preloadSignIn, type SignedInBy } from './sessions/accounts-view.ts';
import { createStorageAdapter } from './storage/storage-adapter.ts';
import { extraTokenClaims } from './tokens/extra-token-claims.ts';

/** Every path that the library serves (DESIGN §4). Its defaults are under `/auth`, where our own endpoints are. */
export const routes = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  userinfo: '/oauth2/userinfo',
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
  end_session: '/oauth2/logout',
  pushed_authorization_request: '/oauth2/par',
  device_authorization: '/oauth2/device',
  // People type this path from the screen of a device.
  code_verification: '/device',
  jwks: '/.well-known/jwks.json',
} as const;

/** @returns the library's configuration as one table; `jwks` are the keys, the signing one first */
export function createOidcConfiguration(services: OidcServices, jwks: JWKS): Configuration {
  const { config, keys, grants, pages } = services;
  const policy = interactionPolicy(services.policy, services.acrValues);
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', overwrite: true } as const;
  return {
    adapter: createStorageAdapter(services) as never,
    jwks,
    routes,
    features: features(services),
    scopes: [...protocolScopes],
    claims: { openid: ['sub', 'auth_time', 'acr', 'amr'], ...services.personClaims.byScope },
    acrValues: [...services.acrValues],
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    assertJwtClientAuthClaimsAndHeader: checkClientAssertion(services),
    enabledJWA: {
      clientAuthSigningAlgValues: Object.values(clientAssertionAlgs).flat(),
      idTokenSigningAlgValues: ['RS256'],
      userinfoSigningAlgValues: ['RS256'],
      requestObjectSigningAlgValues: Object.values(clientAssertionAlgs).flat(),
    },
    // RFC 6749 §4.1.3: a redirect URI of the authorization request must be repeated in the token request.
    allowOmittingSingleRegisteredRedirectUri: false,
    // The library calls this only for a request without a challenge.
    pkce: { required: (ctx) => requirePkce(ctx, services.clients) },
    cookies: {
      // Given bare keys, the library that signs cookies uses HMAC-SHA-1.
      keys: new Keygrip(keys.cookieKeys(), 'sha256'),
      names: cookieNames(services.issuer),
      long: { ...cookie, path: '/' },
      short: cookie,
    },
    formats: { bitsOfOpaqueRandomness: 256 },
    interactions: {
      url: (ctx, interaction) => pages.interactionPath(interaction.uid, clientOf(ctx).id),
      policy,
    },
    // The library calls this for every request, with and without a scope, after all its own checks.
    extraParams: {
      audience: null,
      scope: (ctx) => {
        checkAuthorizationRequest(ctx);
        reportIgnored(ctx, services);
      },
    },
    findAccount: (ctx, id, token) => orUnavailable(() => findAccount(services, ctx, id, token)),
    loadExistingGrant: (ctx) => loadGrant(ctx, grants),
    extraTokenClaims: (ctx, token) => extraTokenClaims(services, ctx, token),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // Codes end with their session. patches/refresh-tokens.ts decides whether a family ends with its session.
    expiresWithSession: async () => true,
    // A grant is the consent of a person. Logout and revocation end families, but never a consent.
    revokeGrantPolicy: () => false,
    clientBasedCORS: (ctx, origin) => services.clients.isOriginOf(clientOf(ctx), origin),
    renderError: pages.renderError,
    discovery: {
      ui_locales_supported: [...pages.languages],
      // Initiating User Registration via OpenID Connect §4.
      prompt_values_supported: ['none', ...policy.map(({ name }) => name)],
      // The library's own feature would send logout tokens during the request, and only at a sign-out.
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      registration_endpoint: config.registration === 'off' ? undefined : `${services.issuer}/oauth2/register`,
      // The library's own feature keeps documents in one Provider, of which we build another for each new key.
      client_id_metadata_document_supported: config.clientIdMetadataHosts.length > 0 || undefined,
    },
    fetch: limited(
      services,
      createOutgoingFetch({
        destinations: config.outgoingPrivateHosts,
        isConfigured: (url) =>
          services.clients.all().some(({ jwksUri }) => jwksUri && new URL(jwksUri).href === url),
      }),
    ) as Configuration['fetch'],
    ttl: ttl(config, services.clock),
  };
}

/** The keys of a client that registered itself may be anywhere. Requests for them have the limits of its metadata. */
const limited =
  ({ clients, rateLimits }: OidcServices, fetch: ReturnType<typeof createOutgoingFetch>): typeof fetch =>
  async (url, options) => {
    const clientId = currentContext()?.oidc.client?.clientId;
    if (clientId !== undefined && clients.mayBeThirdParty(clientId))
      await rateLimits.count('client-metadata');
    return fetch(url, options);
  };

/** The account of a session, code or token, if its sign-in is still active. */
async function findAccount(services: OidcServices, ctx: KoaContextWithOIDC, id: string, token: unknown) {
  const { session, client } = ctx.oidc;
  const by = (token ?? session) as (SignedInBy & { kind?: string }) | undefined;
  if (by?.kind === 'AuthorizationCode' && !(await isCodeAlive(by, services.revocation))) return undefined;
  // An authorization request also needs the `sid` and the consent of this session at the client.
  if (token === undefined && session && client) {
    const sessionSid = session.sidFor(client.clientId);
    await preloadSignIn(services, id, { ...by, sessionSid }, client.clientId);
  }
  return findOidcAccount(services, id, by);
}

/**
 * On https the names have prefixes that browsers accept only from https (RFC 6265bis §4.1.3). The prefix of the session
 * cookie is accepted only from this host, so no other site under the same domain can replace it. Each of the other
 * cookies is set for the path of one sign-in.
 */
function cookieNames(issuer: string) {
  const isHttps = issuer.startsWith('https:');
  return {
    session: `${isHttps ? '__Host-' : ''}gatehouse_session`,
    interaction: `${isHttps ? '__Secure-' : ''}gatehouse_interaction`,
    resume: `${isHttps ? '__Secure-' : ''}gatehouse_resume`,
  };
}

async function loadGrant(ctx: KoaContextWithOIDC, grants: OidcServices['grants']) {
  const { account, client, provider } = ctx.oidc;
  if (!account || !client) return undefined;
  const payload = await orUnavailable(() => grants.current(account.accountId, client.clientId));
  return payload && new provider.Grant(payload);
}

const day = 86_400;

/**
 * All in seconds. A family's refresh tokens end `refreshTokenAbsoluteDays` after its sign-in, however often they are
 * used.
 */
function ttl(config: Config, clock: Clock): NonNullable<Configuration['ttl']> {
  const now = () => epochSeconds(clock);
  const remaining = (since: number | undefined, absolute: number) =>
    Math.max(1, (since ?? now()) + absolute - now());
  const longestSession = (transient: boolean | undefined) =>
    transient
      ? Math.min(config.unrememberedSessionSeconds, config.sessionAbsoluteSeconds)
      : config.sessionAbsoluteSeconds;
  return {
    AccessToken: config.accessTokenSeconds,
    ClientCredentials: config.accessTokenSeconds,
    AuthorizationCode: config.codeSeconds,
    DeviceCode: deviceCodeSeconds,
    IdToken: config.idTokenSeconds,
    Interaction: ({ oidc }) =>
      Math.min(
        config.interactionSeconds,
        oidc.session?.accountId ? Infinity : anonymousRecord.longestSeconds,
      ),
    // A consent does not expire; it is withdrawn.
    Grant: 10 * 365 * day,
    Session: (_ctx, { accountId, loginTs, transient }) =>
      accountId === undefined
        ? anonymousRecord.longestSeconds
        : Math.min(config.sessionIdleSeconds, remaining(loginTs, longestSession(transient))),
    RefreshToken: (_ctx, token) =>
      Math.min(
        config.refreshTokenIdleDays * day,
        remaining(token.iiat, config.refreshTokenAbsoluteDays * day),
      ),
  };
}
