import type Router from '@koa/router';
import type { Recovery } from '../accounts/recovery.ts';
import type { Register } from '../accounts/register.ts';
import { ClientRefused } from '../clients/client-id-metadata.ts';
import type { ClientRegistration } from '../clients/client-registration.ts';
import { type App, createApp } from '../http/app.ts';
import { appAssociations } from '../http/app-associations.ts';
import { assets } from '../http/assets.ts';
import { createErrorAnswers } from '../http/error-handler.ts';
import { requestNormaliser, serveProtocol } from '../http/protocol.ts';
import { publishedDocuments } from '../http/published-documents.ts';
import { clientAddress, createRequestScopes } from '../http/request-context.ts';
import { limitRequests } from '../http/routes.ts';
import type { AccountDeps } from '../interactions/account/account-deps.ts';
import { accountRoutes } from '../interactions/account/account-routes.ts';
import { mailLinkRoutes } from '../interactions/mail-link-pages.ts';
import { createErrorPage, homeRoutes } from '../interactions/protocol-pages.ts';
import { recoveryRoutes } from '../interactions/recovery-pages.ts';
import { interactionRoutes } from '../interactions/routes.ts';
import type { InteractionDeps } from '../interactions/step.ts';
import { createTrustedBrowser } from '../interactions/trusted-browser.ts';
import { type JsonApiDeps, jsonApiEndpoints } from '../json-api/endpoints.ts';
import { openApiDocument } from '../json-api/openapi.ts';
import { registrationRoutes } from '../json-api/registration-routes.ts';
import { jsonApiHandlers } from '../json-api/routes.ts';
import { type VerifyDeps, verifyDescription, verifyHandler } from '../json-api/verify.ts';
import { publicJwks } from '../keys/jwks.ts';
import { epochSeconds } from '../lib/clock.ts';
import { isCut } from '../lib/cut-connection.ts';
import { protocolScopes } from '../lib/oidc-scopes.ts';
import { newPasskeyAnswerSchema, passkeyAnswerSchema } from '../lib/passkey-answers.ts';
import { noteAccount, noteClient, requestId } from '../lib/request-scope.ts';
import { moveEmptySecret } from '../oidc/empty-secret.ts';
import type { AccessTokenClaims } from '../oidc/tokens/access-token-claims.ts';
import { createEndFamilyOf } from '../oidc/tokens/end-family.ts';
import { createIntrospection } from '../oidc/tokens/introspection.ts';
import { wrapTokenParameter } from '../oidc/tokens/structured-tokens.ts';
import { pageClient } from './compose-clients.ts';
import type { Parts } from './compose-deps.ts';
import type { Protocol } from './compose-protocol.ts';
import { basePath } from './open-pages.ts';
import { version } from './version.ts';

export interface HttpParts extends Parts {
  protocol: Protocol;
  account: Omit<AccountDeps, 'renderer' | 'bodyLimitBytes'>;
  verify: VerifyDeps<AccessTokenClaims>;
  register: Register | undefined;
  /** Undefined when mail is off. */
  recovery: Recovery | undefined;
  /** Undefined where clients can't register themselves. */
  registration: ClientRegistration | undefined;
}

/** Assembles the public listener. */
export function composeHttp(parts: HttpParts): App {
  const { config, keyRing, pages, protocol, logger, metrics, clock, tracing } = parts;
  const { issuer } = config;
  const bodyLimitBytes = config.bodyLimitKib * 1024;
  const endpoints = jsonApiEndpoints(jsonApiDeps(parts));
  const jwksMaxAgeSeconds = Math.min(900, Math.floor(config.keyLeadSeconds / 4));
  return createApp({
    inScope: createRequestScopes({
      issuer,
      clock,
      logger,
      metrics,
      tracing,
      clientAddress: addressReader(parts),
    }),
    normaliser: requestNormaliser(issuer),
    limit: limitRequests({ count: parts.rateLimits.count, isAllowedOrigin: parts.clients.isAllowedOrigin }),
    plain: {
      ...publishedDocuments({
        jwks: () => publicJwks(keyRing.current().published),
        discovery: protocol.metadata,
        openApi: () => openApiDocument([...endpoints, verifyDescription], { issuer, version }),
        jwksMaxAgeSeconds,
        associations: config.passkeys === 'on' ? appAssociations(config, config.passkeyRpId) : {},
      }),
      ...jsonApiHandlers({ endpoints, bodyLimitBytes, isAllowedOrigin: parts.clients.isAllowedOrigin }),
      ...verifyHandler(parts.verify),
    },
    protocol: serveProtocol({
      handle: (request, response) => protocol.host.handle(request, response),
      introspect: createIntrospection({ ...protocol, clients: parts.clients }),
      wrapTokenParameter,
      moveEmptySecret: (request, body) =>
        // A client that this process has not seen can only be one without a secret.
        moveEmptySecret(
          request,
          body,
          (id) => parts.clients.find(id)?.auth ?? (parts.clients.mayBeThirdParty(id) ? 'none' : undefined),
        ),
      bodyLimitBytes,
      issuer,
      deviceFlow: config.deviceFlow,
    }),
    pages: pageRouters(parts, bodyLimitBytes),
    answerError: createErrorAnswers({
      logger,
      sendErrorPage: createErrorPage({
        renderer: pages.of,
        requestId,
        issuer,
        client: parts.clients.findAny,
        accountUrl: `${basePath(issuer)}/account`,
      }),
    }),
    onError: (error) => {
      if (isCut(error)) logger.debug({ err: error }, 'connection closed before the response');
      else logger.error({ err: error }, 'response not sent');
    },
  });
}

function pageRouters(parts: HttpParts, bodyLimitBytes: number): Router[] {
  const { config, pages } = parts;
  const { issuer } = config;
  const interactions = interactionDeps(parts, bodyLimitBytes);
  return [
    homeRoutes({ renderer: pages.of, issuer }),
    assets(pages.assets),
    recoveryRoutes({
      renderer: pages.of,
      issuer,
      basePath: basePath(issuer),
      bodyLimitBytes,
      recovery: parts.recovery,
      passwordLength: parts.passwordRules.lengthFor(),
    }),
    interactionRoutes(interactions),
    mailLinkRoutes({ ...interactions, invitations: parts.invitations, knownClient: parts.clients.findAny }),
    accountRoutes({ ...parts.account, renderer: pages.of, bodyLimitBytes }),
    ...(parts.registration ? [registrationRoutes({ registration: parts.registration, bodyLimitBytes })] : []),
  ];
}

/**
 * Reads client addresses. When a sender that is not a configured proxy sends forwarded headers, this is logged once and
 * counted in a metric each time.
 */
function addressReader({ config, logger, metrics }: HttpParts) {
  let warned = false;
  return clientAddress({
    trustedProxies: config.trustedProxies,
    header: config.clientAddressHeader,
    ignored: () => {
      metrics.untrustedForwardedHeaders.inc();
      if (warned) return;
      warned = true;
      logger.warn(
        {},
        'forwarded headers ignored: set GATEHOUSE_TRUSTED_PROXIES behind a load balancer, or everyone shares one address',
      );
    },
  });
}

/** The page says that the app is not registered any more. Other errors have pages of their own. */
function refusedClient(error: unknown): undefined {
  if (!(error instanceof ClientRefused)) throw error;
}

function jsonApiDeps(parts: HttpParts): JsonApiDeps {
  const { config, ports, clients, protocol, register } = parts;
  return {
    redeem: protocol.tokenRequests.redeem,
    client: clients.findAny,
    defaultClientId: config.defaultClient,
    verifyAccessToken: async (token) => {
      const claims = await protocol.accessTokens.verify(token);
      if (claims) noteClient(claims.client_id);
      if (claims) noteAccount(claims.sub);
      return claims;
    },
    account: (id) => ports.accounts.findById(id),
    endFamilyOf: createEndFamilyOf(protocol),
    register,
    recovery: parts.recovery,
    confirmAddress: parts.confirmAddress.byCode,
    passkeys: parts.appPasskeys,
  };
}

function interactionDeps(parts: HttpParts, bodyLimitBytes: number): InteractionDeps {
  const { accessModel, clients, clock, config, ports, protocol } = parts;
  return {
    provider: () => protocol.host.current(),
    renderer: parts.pages.of,
    keys: parts.serverSecrets.keys,
    bodyLimitBytes,
    epochSeconds: () => epochSeconds(clock),
    issuer: config.issuer,
    basePath: basePath(config.issuer),
    client: async (id) => {
      const client = clients.findAny(id) ?? (await clients.lookup(id).catch(refusedClient));
      if (client) noteClient(id);
      return client && pageClient(client);
    },
    account: (id) => ports.accounts.findById(id),
    signIn: parts.signIn,
    secondStep: parts.secondStep,
    passkeySignIn: parts.passkeySignIn,
    passkeys: parts.account.passkeys,
    passkeyAnswers: { existing: passkeyAnswerSchema, created: newPasskeyAnswerSchema },
    changePassword: parts.account.changePassword,
    browsers: parts.rateLimits.browsers,
    secondFactorRemovalHours: config.secondFactorRemovalHours,
    trustedBrowser: createTrustedBrowser({ days: config.trustedDeviceDays, issuer: config.issuer }),
    register: parts.register,
    confirmAddress: parts.confirmAddress,
    sendConfirmationAgain: (input) => parts.rateLimits.signUp(() => parts.confirmAddress.sendAgain(input)),
    mayConfirmLater: (config.signupVerification.graceDays ?? 0) > 0,
    proveSignIn: protocol.browserBinding.prove,
    offersRecovery: parts.recovery !== undefined,
    rememberMe: config.rememberMe,
    passwordLength: parts.passwordRules.lengthFor({ roles: config.signupRoles ?? [] }),
    addConsent: async (agreement) => {
      await protocol.consents.add(agreement);
      await parts.clientUsed(agreement.clientId);
    },
    consent: {
      protocolScopes,
      scopeOfClaim: protocol.personClaims.scopeOf,
      permissionsOf: parts.accounts.permissionsOf,
    },
    apis: accessModel.apis,
  };
}
