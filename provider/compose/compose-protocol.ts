import { createDevicePages } from '../interactions/device-pages.ts';
import { interactionPath } from '../interactions/interaction.ts';
import { createLogoutPages, createProtocolErrorPage } from '../interactions/protocol-pages.ts';
import { publicJwks } from '../keys/jwks.ts';
import type { CurrentKeys } from '../keys/key-ring.ts';
import { reachableAcrs } from '../lib/password-sign-in.ts';
import { requestId } from '../lib/request-scope.ts';
import { createClientCredentialsGrant } from '../oidc/grants/client-credentials.ts';
import { createDeviceCodeGrant } from '../oidc/grants/device-code.ts';
import type { TokenGrant } from '../oidc/grants/grant.ts';
import { createPasswordGrant } from '../oidc/grants/password.ts';
import { createRefreshTokenGrant } from '../oidc/grants/refresh-token.ts';
import type { ProtocolPages } from '../oidc/pages.ts';
import {
  buildProvider,
  createMetadata,
  createProviderHost,
  type Metadata,
  type PrivateKeys,
  type ProviderHost,
} from '../oidc/provider-factory.ts';
import type { OidcServices } from '../oidc/services.ts';
import { createPersonClaims } from '../oidc/sessions/accounts-view.ts';
import { createBrowserBinding } from '../oidc/sessions/browser-binding.ts';
import { type Consents, createConsents } from '../oidc/sessions/consents.ts';
import { createAccessTokenVerifier } from '../oidc/tokens/access-token-verifier.ts';
import { createGrants } from '../oidc/tokens/grants.ts';
import { createTokenPolicy } from '../oidc/tokens/token-policy.ts';
import { createTokenRequests, type TokenRequests } from '../oidc/tokens/token-requests.ts';
import type { RemoteSigner } from '../ports/remote-signer.ts';
import { pageClient } from './compose-clients.ts';
import type { Parts } from './compose-deps.ts';
import { privateKeyOf } from './compose-logouts.ts';
import { composeRevocation, composeSignIns } from './compose-sign-ins.ts';
import { basePath } from './open-pages.ts';

/** The protocol, as the public listener uses it. */
export interface Protocol extends OidcServices {
  host: ProviderHost;
  metadata: Metadata;
  tokenRequests: TokenRequests;
  consents: Consents;
}

/** Assembles the protocol: the library's dependencies, the library, and the services that use it. */
export function composeProtocol(parts: Parts): Protocol {
  const { config, accessModel, ports, keyRing, reads, clients, serverSecrets, clock, logger } = parts;
  const { keys } = serverSecrets;
  const { issuer } = config;
  const { apis } = accessModel;
  const revocation = composeRevocation(parts);
  const { signIns, refreshTokens, sessionEnd } = composeSignIns({ ...parts, serverKeys: keys, revocation });
  const policy = createTokenPolicy(apis, issuer);
  const personClaims = createPersonClaims(accessModel.claims);
  const services: OidcServices = {
    issuer,
    config,
    keys,
    clock,
    logger,
    metrics: parts.metrics,
    store: ports.oidcStore,
    clients,
    accounts: parts.accounts,
    signIn: parts.signIn,
    acrValues: reachableAcrs(config.secondFactor !== 'off' || config.passkeys === 'on'),
    secondStep: parts.secondStep,
    passkeySignIn: parts.passkeySignIn,
    appOrigins: parts.appOrigins,
    reads,
    denylist: parts.denylist,
    revocation,
    clientTokenVersions: parts.clientTokenVersions,
    rateLimits: parts.rateLimits,
    policy,
    personClaims,
    grants: createGrants({
      clients,
      reads,
      accounts: parts.accounts,
      policy,
      claims: personClaims.byScope,
      apis,
      issuer,
    }),
    accessTokens: createAccessTokenVerifier({
      issuer,
      clock,
      publicKeys: () => publicJwks(keyRing.current().published).jwks.keys,
      clients,
      denylist: parts.denylist,
      reads,
    }),
    refreshTokens,
    signIns,
    sessionEnd,
    sessionsAtClients: parts.sessionsAtClients,
    browserBinding: createBrowserBinding({ keys, issuer }),
    pages: protocolPages(parts),
  };
  const grants = tokenGrants(services, parts);
  const host = createProviderHost(
    (jwks) => buildProvider(services, grants, jwks),
    privateJwks(keyRing.current(), ports.remoteSigner),
  );
  const rebuild = () => host.swap(privateJwks(keyRing.current(), ports.remoteSigner));
  keyRing.onChange(rebuild);
  // A Provider copies the keys of its cookies when it is built.
  serverSecrets.onChange(rebuild);
  return {
    ...services,
    host,
    metadata: createMetadata(host.current, policy.apiScopes),
    tokenRequests: createTokenRequests(host.current, grants),
    consents: createConsents({
      store: ports.consents,
      unitOfWork: parts.unitOfWork,
      newEvent: parts.newEvent,
      clock,
      revocation,
      signIns,
      unlistFailed: (error) => logger.warn({ err: error }, 'sign-in list could not be updated'),
    }),
  };
}

/** Returns our own grants. Some replace the library's grant of the same name, and others are additional. */
function tokenGrants(services: OidcServices, { config, accessModel }: Parts): TokenGrant[] {
  return [
    ...(config.deviceFlow ? [createDeviceCodeGrant(services)] : []),
    createClientCredentialsGrant(services, accessModel.apis),
    createPasswordGrant(services),
    createRefreshTokenGrant(services),
  ];
}

function protocolPages({ config, pages, ports, clients }: Parts): ProtocolPages {
  const renderer = pages.of;
  const account = (id: string) => ports.accounts.findById(id);
  const renderError = createProtocolErrorPage({
    renderer,
    requestId,
    issuer: config.issuer,
    client: clients.findAny,
  });
  return {
    logout: createLogoutPages({ renderer, account }),
    device: config.deviceFlow
      ? createDevicePages({
          renderer,
          account,
          client: (id) => {
            const client = clients.find(id);
            return client && pageClient(client);
          },
          sendErrorPage: renderError,
        })
      : undefined,
    renderError,
    languages: pages.languages,
    interactionPath: (uid, clientId) => interactionPath(basePath(config.issuer), { uid, clientId }),
  };
}

/** The private keys, with the signing key first. Older keys still verify the signatures that they made. */
const privateJwks = ({ kept }: CurrentKeys, remote: RemoteSigner): PrivateKeys => ({
  keys: kept.map((key) => privateKeyOf(key, remote)),
});
