import type Koa from 'koa';
import type { Accounts } from '../accounts/accounts.ts';
import type { ClientDocument } from '../clients/client-document.ts';
import { createClientRegistry } from '../clients/client-registry.ts';
import { longestRefreshTokenSeconds } from '../config/settings-tokens.ts';
import { knownClaims } from '../config/token-budget.ts';
import { createNewEvent } from '../events/catalogue.ts';
import { createConfigurationChanges } from '../events/configuration-changes.ts';
import type { App } from '../http/app.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import { keyTimesOf } from '../keys/key-set.ts';
import { openServerSecrets } from '../keys/server-secrets.ts';
import { systemClock } from '../lib/clock.ts';
import type { Component } from '../lib/lifecycle.ts';
import { protocolScopes } from '../lib/oidc-scopes.ts';
import { checkOutgoingGuard } from '../oidc/outgoing-requests.ts';
import { createRateLimits } from '../rate-limits/rate-limits.ts';
import { createCachedDenylist } from '../revocation/cached-denylist.ts';
import { noticeChanges } from '../revocation/change-notices.ts';
import { createClientRevocation } from '../revocation/client-revocation.ts';
import { createKnownClientTokenVersions } from '../revocation/known-client-token-versions.ts';
import { createRecentReads } from '../revocation/recent-reads.ts';
import { createRequestDenylist } from '../revocation/request-denylist.ts';
import { builtInClients, composeAccount } from './compose-account.ts';
import { composeAccounts } from './compose-accounts.ts';
import { composeRegistration, composeSelfRegistered } from './compose-clients.ts';
import type { ComposeDeps, Parts } from './compose-deps.ts';
import { composeHttp } from './compose-http.ts';
import { composeJobs, keyRotationOf } from './compose-jobs.ts';
import { composeLogoutSender, composeSessionsAtClients } from './compose-logouts.ts';
import { composeMailDelivery, composeWriteMail, isMailOn } from './compose-mails.ts';
import { composeOperations } from './compose-operations.ts';
import { composeProtocol } from './compose-protocol.ts';
import { composeRecovery } from './compose-recovery.ts';
import { composeVerify } from './compose-verify.ts';
import { measuredPorts, measureNow } from './measurements.ts';
import { every, serverSecretsPollSeconds } from './repeated-job.ts';

export interface Gatehouse {
  /** The public listener's application. */
  app: App;
  /** The operations listener's application. */
  operations: Koa;
  /** The jobs that run in addition to the listeners, in the order to start them. */
  jobs: Component[];
  accounts: Accounts;
  /** Rejects when requests of the protocol library to private addresses are not refused on this Node. */
  checkOutgoingGuard(): Promise<void>;
}

/**
 * Assembles a process, starting with the lowest modules. The input is settings, ports and clock; the output is
 * applications and jobs. This folder contains only the wiring. A decision belongs to the module that it concerns, and
 * access to a product belongs to `adapters/`.
 */
export async function compose(deps: ComposeDeps): Promise<Gatehouse> {
  const { config, accessModel, clock, logger, metrics, tracing } = deps;
  const ports = measuredPorts(deps.ports, { metrics, clock, tracing });

  // Events and revocations.
  const jobs = composeJobs({
    ports,
    clock,
    logger,
    metrics,
    takesPart: config.jobs === 'serve',
    mails: (pauses) =>
      composeMailDelivery({
        ...deps,
        ports,
        keys: () => serverSecrets.keys,
        renderer: deps.pages.mails,
        pauses,
      }),
    keyRotation: keyRotationOf(config, ports.keyStore),
    sendLogout: composeLogoutSender({
      config,
      clock,
      metrics,
      remoteSigner: ports.remoteSigner,
      keys: () => keyRing.current(),
    }),
  });
  const cachedDenylist = createCachedDenylist({
    store: ports.denylist,
    cache: ports.revocationCache,
    listen: ports.revocationSignals.listen,
    // This clock measures elapsed time, as timers do.
    clock: systemClock,
    logger,
    metrics,
  });
  ports.onRedisLost(() => cachedDenylist.markStale('its connection was lost'));
  const denylist = createRequestDenylist(cachedDenylist);
  const unitOfWork = noticeChanges(ports.unitOfWork, {
    clock,
    denylist,
    eventCommitted: jobs.eventCommitted,
    logoutCommitted: jobs.logoutCommitted,
    mailCommitted: jobs.mailCommitted,
  });
  const newEvent = createNewEvent({ clock });
  const clientRevocation = createClientRevocation({
    unitOfWork,
    denylist,
    clock,
    refreshTokenSeconds: longestRefreshTokenSeconds,
  });
  const changes = createConfigurationChanges({
    unitOfWork,
    newEvent,
    logger,
    endClients: clientRevocation.endWithin,
  });
  const reads = createRecentReads({
    accounts: ports.accounts,
    consents: ports.consents,
    denylist,
    clock,
    most: keptReads,
  });
  const clientTokenVersions = createKnownClientTokenVersions(ports.clientTokenVersions, {
    listen: ports.revocationSignals.listen,
  });

  // Accounts, and the limits on sign-in attempts.
  const serverSecrets = await openServerSecrets({ read: deps.readServerSecrets, clock, logger });
  const writeMail = composeWriteMail(config, serverSecrets.keys, clock);
  const rateLimits = createRateLimits({
    config,
    limits: ports.limits,
    localLimits: ports.localLimits,
    serverKeys: serverSecrets.keys,
    clock,
    logger,
    metrics,
  });
  const { register, ...accountParts } = composeAccounts({
    ...deps,
    ports,
    serverSecrets,
    unitOfWork,
    newEvent,
    writeMail,
    rateLimits,
  });
  // Clients and keys.
  const selfRegistered = composeSelfRegistered({
    ...deps,
    ports,
    rateLimits,
    serverKeys: serverSecrets.keys,
  });
  const sessionsAtClients = composeSessionsAtClients({ config, ports, clock, clients: () => clients });
  const documentsLoaded = (documents: readonly ClientDocument[]) =>
    sessionsAtClients
      .documentsLoaded(documents)
      .catch((error: unknown) => logger.warn({ err: error }, 'addresses for logout tokens not updated'));
  const clients = await createClientRegistry({
    sources: ports.clientSources,
    apis: accessModel.apis.map(({ audience, scopes }) => ({
      audience,
      scopes: scopes.map(({ name }) => name),
    })),
    claims: knownClaims(accessModel, config.issuer),
    protocolScopes,
    deviceFlow: config.deviceFlow,
    secrets: ports.secrets,
    clock,
    logger,
    metrics,
    builtIn: builtInClients(config),
    others: selfRegistered.others,
    defaultClientId: config.defaultClient,
    loaded: (source, documents) => {
      void changes.clients(source, documents);
      void documentsLoaded(documents);
    },
  });
  // Other processes and commands read here that no file of this process defines a client.
  if (ports.clientSources.every(({ eachByItself }) => eachByItself))
    void changes.clients({ name: 'file', eachByItself: false }, []);
  const keyRing = createKeyRing({
    store: ports.keyStore,
    clock,
    logger,
    metrics,
    pollSeconds: config.keysPollSeconds,
    ...keyTimesOf(config),
  });
  await keyRing.start();
  keyRing.onChange((keys) => void changes.keys(keys));

  // The protocol, the pages and the JSON API.
  const parts: Parts = {
    ...deps,
    ports,
    serverSecrets,
    unitOfWork,
    newEvent,
    writeMail,
    denylist,
    reads,
    clientTokenVersions,
    rateLimits,
    ...accountParts,
    clients,
    sessionsAtClients,
    clientUsed: selfRegistered.used,
    keyRing,
  };
  const protocol = composeProtocol(parts);
  const verify = composeVerify(parts, protocol);
  const app = composeHttp({
    ...parts,
    protocol,
    verify,
    account: composeAccount(parts, protocol),
    recovery: composeRecovery(parts, protocol),
    registration: composeRegistration({ ...parts, endClients: clientRevocation.endWithin }),
    register: config.signup ? (input) => rateLimits.signUp(() => register(input)) : undefined,
  });
  const operations = composeOperations({ ...deps, ports }, () =>
    measureNow({
      outbox: ports.outbox,
      logouts: ports.logouts,
      mails: isMailOn(config) ? ports.mails : undefined,
      keys: () => keyRing.current(),
      clock,
      metrics,
    }),
  );
  return {
    app,
    operations,
    accounts: accountParts.accounts,
    checkOutgoingGuard: () => checkOutgoingGuard(protocol.host.current()),
    jobs: [
      { name: 'keys', stop: () => keyRing.close() },
      cachedDenylist,
      { name: 'client token versions', start: clientTokenVersions.start, stop: clientTokenVersions.stop },
      ...verify.jobs,
      { name: 'clients', stop: () => clients.close() },
      every('server secrets', serverSecretsPollSeconds, serverSecrets.refresh),
      every('client secrets', secretsPollSeconds, () => clients.refreshSecrets()),
      jobs.component,
      { name: 'changes of keys', start: () => changes.keys(keyRing.current()) },
      every('unreported changes', unreportedPollSeconds, () => changes.retry()),
    ],
  };
}

/** The maximum number of cached accounts, and of cached consents. Each of the two caches uses about 10 MB. */
const keptReads = 10_000;

/** How soon the process notices that the client secret behind a reference was replaced. */
const secretsPollSeconds = 60;

/** How soon the process tries again to write an event about changed clients or keys after a failed attempt. */
const unreportedPollSeconds = 30;
