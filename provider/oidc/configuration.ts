import type { Adapter, Configuration, JWKS, KoaContextWithOIDC } from 'oidc-provider';
import { type Clock, epochSeconds } from '../lib/clock.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { ClientDirectory } from './client-facts.ts';
import { type FeatureDeps, features } from './features.ts';
import { interactionPolicy } from './interaction-policy.ts';
import { deviceCodeSeconds } from './patches/device-codes.ts';
import { type AccountDirectory, findOidcAccount, type SignedInBy } from './sessions/accounts-view.ts';
import { isSessionAlive } from './sessions/active-sign-ins.ts';
import { extraTokenClaims } from './tokens/extra-token-claims.ts';
import type { Grants } from './tokens/grants.ts';
import { scopeClaims } from './tokens/scope-claims.ts';
import type { TokenPolicy } from './tokens/token-policy.ts';
import { orUnavailable } from './unavailable.ts';

export interface Lifetimes {
  accessTokenSeconds: number;
  idTokenSeconds: number;
  codeSeconds: number;
  interactionSeconds: number;
  sessionIdleSeconds: number;
  sessionAbsoluteSeconds: number;
  /** Instead of the absolute one, for a session that isn't remembered. */
  unrememberedSessionSeconds: number;
  refreshTokenIdleSeconds: number;
  refreshTokenAbsoluteSeconds: number;
}

export interface OidcConfigurationDeps extends FeatureDeps {
  issuer: string;
  adapter: (kind: string) => Adapter;
  accounts: AccountDirectory;
  clients: ClientDirectory;
  grants: Pick<Grants, 'current'>;
  policy: TokenPolicy;
  keys: ServerKeys;
  lifetimes: Lifetimes;
  isSignedOut(sid: string): Promise<boolean>;
  /** What a client is issued under now. */
  clientTokenVersion(clientId: string): number;
  clock: Clock;
  /** Where the pages of an interaction are, with the issuer's path. */
  interactionPath(uid: string): string;
  /** Of the pages, for discovery. */
  languages: readonly string[];
  /** Answers a person with our error page; programs get JSON before this is asked. */
  renderError: NonNullable<Configuration['renderError']>;
}

/** Every path the library serves (DESIGN §4). Its own defaults would lie under `/auth`, where ours are. */
export const routes = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  userinfo: '/oauth2/userinfo',
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
  end_session: '/oauth2/logout',
  pushed_authorization_request: '/oauth2/par',
  device_authorization: '/oauth2/device',
  // Typed by people, from the screen of a device.
  code_verification: '/device',
  jwks: '/.well-known/jwks.json',
} as const;

/** @returns the library's configuration as one table; `jwks` are the keys, the signing one first */
export function createOidcConfiguration(deps: OidcConfigurationDeps, jwks: JWKS): Configuration {
  const { clients, keys, lifetimes } = deps;
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', overwrite: true } as const;
  return {
    adapter: deps.adapter as never,
    jwks,
    routes,
    features: features(deps),
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'], ...scopeClaims },
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256'], userinfoSigningAlgValues: ['RS256'] },
    // RFC 6749 §4.1.3: what the authorization request named, the token request names too.
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: (_ctx, client) => clients.find(client.clientId)?.pkceRequired ?? true },
    cookies: {
      keys: keys.cookieKeys(),
      names: cookieNames(deps.issuer),
      long: { ...cookie, path: '/' },
      short: cookie,
    },
    formats: { bitsOfOpaqueRandomness: 256 },
    interactions: {
      url: (_ctx, interaction) => deps.interactionPath(interaction.uid),
      policy: interactionPolicy(),
    },
    findAccount: (ctx, id, token) =>
      orUnavailable(async () => {
        const isCode = token?.kind === 'AuthorizationCode';
        if (isCode && !(await isSessionAlive(ctx.oidc.provider.Session, token, deps.isSignedOut)))
          return undefined;
        const bound = (token ?? ctx.oidc.session) as SignedInBy | undefined;
        return findOidcAccount(deps.accounts, id, bound);
      }),
    loadExistingGrant: (ctx) => loadGrant(ctx, deps.grants),
    extraTokenClaims: (ctx, token) => extraTokenClaims(deps, ctx, token),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // Codes die with their session; a family's own binding is in models.ts.
    expiresWithSession: async () => true,
    // A grant is what a person agreed to: logout and revocation end families, never consent.
    revokeGrantPolicy: () => false,
    clientBasedCORS: (_ctx, origin, client) =>
      clients.find(client.clientId)?.origins.includes(origin) ?? false,
    renderError: deps.renderError,
    discovery: { ui_locales_supported: [...deps.languages] },
    ttl: ttl(lifetimes, deps.clock),
  };
}

/**
 * With prefixes that browsers take by https only (RFC 6265bis §4.1.3), and for the session from this host only: no neighbour
 * under the same domain can put its own in the place of ours. The others stand under the path of one sign-in each.
 */
function cookieNames(issuer: string) {
  const isHttps = issuer.startsWith('https:');
  return {
    session: `${isHttps ? '__Host-' : ''}gatehouse_session`,
    interaction: `${isHttps ? '__Secure-' : ''}gatehouse_interaction`,
    resume: `${isHttps ? '__Secure-' : ''}gatehouse_resume`,
  };
}

async function loadGrant(ctx: KoaContextWithOIDC, grants: Pick<Grants, 'current'>) {
  const { account, client, provider } = ctx.oidc;
  if (!account || !client) return undefined;
  const payload = await orUnavailable(() => grants.current(account.accountId, client.clientId));
  return payload && new provider.Grant(payload);
}

const longestSession = (lifetimes: Lifetimes, transient: boolean | undefined) =>
  transient
    ? Math.min(lifetimes.unrememberedSessionSeconds, lifetimes.sessionAbsoluteSeconds)
    : lifetimes.sessionAbsoluteSeconds;

/** All in seconds. A family's refresh tokens end `refreshTokenAbsoluteSeconds` after its sign-in, however often used. */
function ttl(lifetimes: Lifetimes, clock: Clock): NonNullable<Configuration['ttl']> {
  const now = () => epochSeconds(clock);
  const remaining = (since: number | undefined, absolute: number) =>
    Math.max(1, (since ?? now()) + absolute - now());
  return {
    AccessToken: lifetimes.accessTokenSeconds,
    ClientCredentials: lifetimes.accessTokenSeconds,
    AuthorizationCode: lifetimes.codeSeconds,
    DeviceCode: deviceCodeSeconds,
    IdToken: lifetimes.idTokenSeconds,
    Interaction: lifetimes.interactionSeconds,
    // Consent has no end of its own; it is withdrawn.
    Grant: 10 * 365 * 86_400,
    Session: (_ctx, { loginTs, transient }) =>
      Math.min(lifetimes.sessionIdleSeconds, remaining(loginTs, longestSession(lifetimes, transient))),
    RefreshToken: (_ctx, token) =>
      Math.min(
        lifetimes.refreshTokenIdleSeconds,
        remaining(token.iiat, lifetimes.refreshTokenAbsoluteSeconds),
      ),
  };
}
