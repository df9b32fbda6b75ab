import type { ClientDocument } from '../clients/client-document.ts';
import type { ClientRegistry } from '../clients/client-registry.ts';
import { oidcMetadata } from '../clients/oidc-metadata.ts';
import type { Config } from '../config/schema.ts';
import { createDevicePages } from '../interactions/device-pages.ts';
import { createLogoutPages, createProtocolErrorPage } from '../interactions/protocol-pages.ts';
import { publicJwks } from '../keys/jwks.ts';
import type { CurrentKeys } from '../keys/key-ring.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { ClientDirectory, ClientFacts } from '../oidc/client-facts.ts';
import { buildProvider, type ProviderDeps } from '../oidc/provider-factory.ts';
import { createProviderHost, type PrivateKeys, type ProviderHost } from '../oidc/provider-host.ts';
import { type AccountDirectory, findOidcAccount } from '../oidc/sessions/accounts-view.ts';
import { type BrowserBinding, createBrowserBinding } from '../oidc/sessions/browser-binding.ts';
import type { SignIns } from '../oidc/sessions/sign-ins.ts';
import { limitPages } from '../oidc/storage/limited-pages.ts';
import type { RefreshTokens } from '../oidc/storage/refresh-tokens.ts';
import { createStorageAdapter } from '../oidc/storage/storage-adapter.ts';
import { type AccessTokenVerifier, createAccessTokenVerifier } from '../oidc/tokens/access-token-verifier.ts';
import { createGrants } from '../oidc/tokens/grants.ts';
import { createTokenPolicy, protocolScopes, type TokenPolicy } from '../oidc/tokens/token-policy.ts';
import { createTokenRequests, type TokenRequests } from '../oidc/tokens/token-requests.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import { createAccountOfToken } from '../revocation/account-of-token.ts';
import type { ProtocolParts } from './compose-deps.ts';
import { composeGrants } from './compose-grants.ts';
import { composeSignIns } from './compose-sign-ins.ts';
import { basePath } from './open-pages.ts';

export interface Protocol {
  host: ProviderHost;
  directory: ClientDirectory;
  policy: TokenPolicy;
  accessTokens: AccessTokenVerifier;
  refreshTokens: RefreshTokens;
  tokenRequests: TokenRequests;
  signIns: SignIns;
  browserBinding: BrowserBinding;
  /** Ends a browser's session by its uid, listed or not. */
  endSession(uid: string): Promise<void>;
}

/** How long a spent code is remembered: RFC 6749 §4.1.2 has no code live longer. */
const rememberSpentSeconds = 600;

/** Puts the protocol together: what the library is built from, and what is built on it. */
export function composeProtocol(parts: ProtocolParts): Protocol {
  const { config, accessModel, ports, clients, keyRing, reads, revocation, serverKeys, clock, metrics } =
    parts;
  const { issuer } = config;
  const directory = clientDirectory(clients, parts.rateLimits);
  const policy = createTokenPolicy(accessModel.apis, issuer);
  const renderer = parts.pages.of;
  const accessTokens = createAccessTokenVerifier({
    issuer,
    clock,
    publicKeys: () => publicJwks(keyRing.current().published).jwks.keys,
    isRevoked: (token) => revocation.isRevoked(token),
    client: (id) => directory.find(id),
    accountOf: createAccountOfToken({ denylist: parts.denylist, reads }),
  });
  const unlisted = (error: unknown) => parts.logger.warn({ err: error }, 'a sign-in could not be listed');
  const { signIns, refreshTokens, sessionEnd, endSession } = composeSignIns({ ...parts, unlisted });
  const noting = { signIns, clock, failed: unlisted };
  const browserBinding = createBrowserBinding({ keys: serverKeys, issuer });
  const grants = composeGrants(parts, { directory, policy, refreshTokens, noting });
  const existingGrants = createGrants({
    clients: directory,
    consents: { find: reads.consent },
    apis: accessModel.apis,
    issuer,
  });
  const storage = {
    store: ports.oidcStore,
    keys: serverKeys,
    clock,
    rememberSpentSeconds,
    issuer,
    clients: directory,
    grants: existingGrants,
    refreshTokens,
    accessTokens,
    revocation,
    graceSeconds: config.graceSeconds,
    interactionSeconds: config.interactionSeconds,
  };
  const renderError = createProtocolErrorPage({
    renderer,
    requestId: () => currentRequestScope()?.requestId ?? '',
  });
  const account = (id: string) => ports.accounts.findById(id);
  const devicePages = createDevicePages({
    renderer,
    account,
    client: clients.find,
    sendErrorPage: renderError,
  });
  const accounts: AccountDirectory = {
    account: (id, unless) => reads.account(id, unless),
    permissionsOf: (roles) => parts.accounts.permissionsOf(roles),
  };
  const deps: ProviderDeps = {
    issuer,
    grants,
    signed: (kid) => metrics.signatures.inc({ kid }),
    configuration: {
      issuer,
      adapter: limitPages(createStorageAdapter(storage), () => parts.rateLimits.count('page')),
      accounts,
      clients: directory,
      grants: existingGrants,
      policy,
      keys: serverKeys,
      clock,
      lifetimes: lifetimes(config),
      isSignedOut: (sid) => revocation.isSignedOut(sid),
      clientTokenVersion: parts.clientTokenVersion,
      accessTokenLifetimeSeconds: config.accessTokenSeconds,
      logoutPages: createLogoutPages({ renderer, account }),
      devicePages: config.deviceFlow ? devicePages : undefined,
      origin: () => {
        const { clientAddress: ip, userAgent } = currentRequestScope() ?? {};
        return { ip, userAgent };
      },
      renderError,
      languages: parts.pages.languages,
      interactionPath: (uid) => `${basePath(issuer)}/interaction/${uid}`,
    },
    signIns: noting,
    models: {
      clients: directory,
      refreshTokens,
      store: ports.oidcStore,
      keys: serverKeys,
      clock,
      sessionEnd,
      browserBinding,
      tryUserCode: parts.rateLimits.userCode,
      isSignedOut: (sid) => revocation.isSignedOut(sid),
      clientTokenVersion: parts.clientTokenVersion,
      isSignedIn: async (id, by) => (await findOidcAccount(accounts, id, by)) !== undefined,
    },
    listeners: {
      logger: parts.logger,
      metrics: {
        tokensIssued: (grant, clientKind) => metrics.tokensIssued.inc({ grant, client_kind: clientKind }),
        interaction: (prompt, outcome) => metrics.interactions.inc({ prompt, outcome }),
      },
      clientKind: (id) => (directory.find(id ?? '')?.firstParty ? 'first_party' : 'third_party'),
    },
  };
  const host = createProviderHost((jwks) => buildProvider(deps, jwks), privateJwks(keyRing.current()));
  keyRing.onChange((keys) => host.swap(privateJwks(keys)));
  const tokenRequests = createTokenRequests(() => host.current(), grants);
  return {
    host,
    directory,
    policy,
    accessTokens,
    refreshTokens,
    tokenRequests,
    signIns,
    endSession,
    browserBinding,
  };
}

/** The signing key first; older ones still check what they signed. */
const privateJwks = ({ kept }: CurrentKeys): PrivateKeys => ({
  keys: kept.map(({ kid, privateJwk }) => ({ ...privateJwk, kid, alg: 'RS256', use: 'sig' })),
});

const lifetimes = (config: Config) => ({
  accessTokenSeconds: config.accessTokenSeconds,
  idTokenSeconds: config.idTokenSeconds,
  codeSeconds: config.codeSeconds,
  interactionSeconds: config.interactionSeconds,
  sessionIdleSeconds: config.sessionIdleSeconds,
  sessionAbsoluteSeconds: config.sessionAbsoluteSeconds,
  unrememberedSessionSeconds: config.unrememberedSessionSeconds,
  refreshTokenIdleSeconds: config.refreshTokenIdleDays * 86_400,
  refreshTokenAbsoluteSeconds: config.refreshTokenAbsoluteDays * 86_400,
});

function clientDirectory(
  clients: ClientRegistry,
  rateLimits: Pick<RateLimits, 'clientSecret'>,
): ClientDirectory {
  // Asked for many times in a request; a client that changes comes as another document.
  const known = new WeakMap<ClientDocument, { facts: ClientFacts; metadata: Record<string, unknown> }>();
  const look = (id: string) => {
    const client = clients.find(id);
    if (!client) return undefined;
    const seen = known.get(client) ?? {
      facts: { ...client, pkceRequired: client.pkce === 'required' },
      metadata: { ...oidcMetadata(client, protocolScopes) },
    };
    known.set(client, seen);
    return seen;
  };
  const find = (id: string) => look(id)?.facts;
  const metadata = (id: string) => look(id)?.metadata;
  const secretMatches = (id: string, presented: string) =>
    rateLimits.clientSecret(id, () => clients.secretMatches(id, presented));
  return { find, metadata, secretMatches };
}
