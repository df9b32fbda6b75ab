import type Koa from 'koa';
import { type Accounts, createAccounts } from '../accounts/accounts.ts';
import { createHashingPool } from '../accounts/hashing-pool.ts';
import { createPasswords } from '../accounts/passwords.ts';
import { createRegister } from '../accounts/register.ts';
import { createSignIn } from '../accounts/sign-in.ts';
import { createClientRegistry } from '../clients/client-registry.ts';
import type { Config } from '../config/schema.ts';
import { nudgeAfterCommit } from '../events/nudge-after-commit.ts';
import { createRelay } from '../events/relay.ts';
import { createOperationsApp } from '../http/health.ts';
import { createReadiness } from '../http/readiness.ts';
import { createKeyRing } from '../keys/key-ring.ts';
import type { Component } from '../lib/lifecycle.ts';
import { noteAccount, requestOrigin } from '../lib/request-scope.ts';
import { unlistEnded } from '../oidc/sessions/unlist-ended.ts';
import { noticeChanges } from '../revocation/change-notices.ts';
import { createKnownClientTokenVersions } from '../revocation/known-client-token-versions.ts';
import { createRecentReads } from '../revocation/recent-reads.ts';
import { builtInClients, composeAccount } from './compose-account.ts';
import { createAudit } from './compose-audit.ts';
import { composeDenylist } from './compose-denylist.ts';
import type { ComposeDeps, ProtocolParts } from './compose-deps.ts';
import { composeGuard } from './compose-guard.ts';
import { composeHttp } from './compose-http.ts';
import { composeProtocol } from './compose-protocol.ts';
import { composeRevocation } from './compose-sign-ins.ts';
import { composeVerify } from './compose-verify.ts';
import { deliveryMetrics, hashingMetrics, measureNow } from './measured-now.ts';
import { measuredPorts } from './measured-ports.ts';
import { createSweep } from './sweep.ts';
import { tracedPool } from './traced-pool.ts';

export interface Gatehouse {
  /** The public listener's application. */
  app: Koa;
  /** The operations listener's. */
  operations: Koa;
  /** What runs beside the listeners, in the order to start. */
  jobs: Component[];
  accounts: Accounts;
}

/** Puts everything together, from the bottom up: config, ports and clock in; applications and jobs out. */
export async function compose(deps: ComposeDeps): Promise<Gatehouse> {
  const { config, accessModel, clock, logger, metrics, tracing } = deps;
  const ports = measuredPorts(deps.ports, { metrics, clock, tracing });

  // What happened is told.
  const relay = createRelay({
    outbox: ports.outbox,
    sink: ports.eventSink,
    clock,
    logger,
    metrics: deliveryMetrics(metrics),
  });
  const denylist = composeDenylist(ports, {
    logger,
    trusted: (is) => metrics.denylistCopyTrusted.set(is ? 1 : 0),
  });
  const noticed = noticeChanges(ports.unitOfWork, { clock, copy: denylist.copy });
  const unitOfWork = nudgeAfterCommit(noticed, () => relay.nudge());
  const audit = createAudit({ unitOfWork, clock, logger });
  const { newEvent } = audit;

  // Who may sign in, and how often it may be tried.
  const guard = composeGuard({ ...deps, ports });
  const pool = createHashingPool({
    concurrency: config.hashingConcurrency,
    queueLimit: config.hashingQueue,
    clock,
    metrics: guard.timedMetrics(hashingMetrics(metrics)),
  });
  const passwords = createPasswords({
    params: passwordParams(config),
    pool: tracedPool(guard.timedPool(pool), tracing),
  });
  const permissionsByRole = accessModel.roles;
  const accounts = createAccounts({
    accounts: ports.accounts,
    unitOfWork,
    passwords,
    newEvent,
    clock,
    permissionsByRole,
  });
  const signIn = createSignIn({
    accounts: ports.accounts,
    unitOfWork,
    passwords,
    newEvent,
    clock,
    metrics: { signedIn: (outcome) => metrics.signIns.inc({ outcome }) },
    logger,
  });
  const register = createRegister({
    enabled: config.signup,
    roles: [],
    unitOfWork,
    passwords,
    newEvent,
    clock,
    logger,
  });

  // For whom, with which keys, and what is no longer good.
  const apis = accessModel.apis.map(({ audience, scopes }) => ({
    audience,
    scopes: scopes.map(({ name }) => name),
  }));
  const clients = await createClientRegistry({
    sources: ports.clientSources,
    apis,
    deviceFlow: config.deviceFlow,
    secrets: ports.secrets,
    clock,
    logger,
    metrics,
    builtIn: builtInClients(config),
    defaultClientId: config.defaultClient,
    loaded: (source, documents) => void audit.clientsAre(source, documents),
  });
  const keyRing = createKeyRing({
    store: ports.keyStore,
    clock,
    logger,
    metrics,
    pollSeconds: config.keysPollSeconds,
    leadSeconds: config.keyLeadSeconds,
    tokenSeconds: Math.max(config.accessTokenSeconds, config.idTokenSeconds),
  });
  await keyRing.start();
  keyRing.onChange((keys) => void audit.keysAre(keys));
  const reads = createRecentReads({ ...ports, denylist, clock, most: keptReads });
  const revocation = unlistEnded(composeRevocation({ config, ports, denylist, clock, audit }), {
    index: ports.accountIndex,
    families: ports.families,
    failed: (error) => logger.warn({ err: error }, 'a sign-in could not be listed'),
  });
  const tokenVersions = createKnownClientTokenVersions(ports.clientTokenVersions, {
    intervalMs: generationsPollMs,
  });

  // The protocol, the pages and the JSON API over all of it.
  const signInHere: ProtocolParts['signIn'] = async ({ browser, ...input }) => {
    try {
      // Before any store is asked: a flood has to cost as little as can be.
      pool.ensureRoom();
    } catch (error) {
      metrics.signIns.inc({ outcome: 'overloaded' });
      throw error;
    }
    const account = await guard.signIn({ email: input.email, browser }, () =>
      signIn({ ...input, ...requestOrigin() }),
    );
    noteAccount(account.id);
    return account;
  };
  const parts = {
    ...deps,
    ports,
    accounts,
    clients,
    keyRing,
    denylist,
    reads,
    revocation,
    audit,
    guard,
    signIn: signInHere,
    clientTokenVersion: tokenVersions.of,
  };
  const protocol = composeProtocol(parts);
  const verify = composeVerify(parts, protocol);
  const app = composeHttp({
    ...parts,
    protocol,
    verify,
    account: composeAccount({ ...parts, protocol, passwords, unitOfWork }),
    register: config.signup
      ? (input) => guard.signUp(() => register({ ...input, ...requestOrigin() }))
      : undefined,
  });
  const operations = createOperationsApp({
    readiness: createReadiness({
      dependencies: ports.dependencies,
      clock,
      logger,
      metrics,
      blipSeconds: config.readinessBlipSeconds,
    }),
    phase: deps.phase,
    metrics: async () => {
      await measureNow({ outbox: ports.outbox, keys: () => keyRing.current(), clock, metrics });
      return metrics.render();
    },
  });

  const sweep = createSweep({ expired: ports.expired, clock, intervalSeconds: 300, batch: 1000, logger });
  return {
    app,
    operations,
    accounts,
    jobs: [
      { name: 'keys', stop: () => keyRing.close() },
      ...denylist.jobs,
      { name: 'client token versions', start: tokenVersions.start, stop: tokenVersions.stop },
      ...verify.jobs,
      { name: 'clients', stop: () => clients.close() },
      every('client secrets', secretsPollSeconds, () => clients.refreshSecrets()),
      { name: 'events', start: () => relay.start(), stop: () => relay.stop() },
      { name: 'audit', start: () => audit.keysAre(keyRing.current()) },
      every('untold changes', untoldPollSeconds, () => audit.retry()),
      { name: 'sweep', start: () => sweep.start(), stop: () => sweep.stop() },
    ],
  };
}

/** Accounts, and consents, that are kept in memory: some 10 MB of each. */
const keptReads = 10_000;

/** How soon what a client is issued after it was revoked is good. */
const generationsPollMs = 500;

/** How soon a client secret that was replaced behind its reference is known. */
const secretsPollSeconds = 60;

/** How soon a change of clients or keys is told that couldn't be told at once. */
const untoldPollSeconds = 30;

/** A job that repeats; `work` must not throw. */
function every(name: string, seconds: number, work: () => Promise<void>): Component {
  let timer: NodeJS.Timeout | undefined;
  return {
    name,
    start: () => {
      timer = setInterval(() => void work(), seconds * 1000);
    },
    stop: () => clearInterval(timer),
  };
}

const passwordParams = (config: Config) => ({
  memoryKib: config.argon2MemoryKib,
  passes: config.argon2Passes,
  parallelism: config.argon2Parallelism,
});
