import type Koa from 'koa';
import { createClientWrites } from '../clients/apply-clients.ts';
import { parseClientDocuments } from '../clients/parse-client-documents.ts';
import type { AccessModel } from '../config/access-model.ts';
import { longestRefreshTokenSeconds } from '../config/settings-tokens.ts';
import { knownClaims } from '../config/token-budget.ts';
import { newId } from '../lib/ids.ts';
import type { Component } from '../lib/lifecycle.ts';
import { routes } from '../oidc/configuration.ts';
import { createOperator, type Operator } from '../operator/operator.ts';
import type { OperatorClients } from '../operator/reconcile.ts';
import type { Kubernetes } from '../ports/kubernetes.ts';
import type { Leases } from '../ports/leases.ts';
import { createCachedDenylist } from '../revocation/cached-denylist.ts';
import { noticeChanges } from '../revocation/change-notices.ts';
import { createClientRevocation } from '../revocation/client-revocation.ts';
import type { ComposeDeps } from './compose-deps.ts';
import { composeOperations } from './compose-operations.ts';
import { createLeadership } from './leadership.ts';
import { measuredPorts } from './measurements.ts';

export interface ComposeOperatorDeps
  extends Pick<ComposeDeps, 'config' | 'ports' | 'clock' | 'logger' | 'metrics' | 'tracing' | 'phase'> {
  accessModel: AccessModel;
  kubernetes: Kubernetes;
  leases: Leases;
  /** The watched namespaces; undefined for all. */
  namespaces: readonly string[] | undefined;
  /** Times that differ from the defaults. */
  times?: Partial<typeof defaultTimes>;
}

const defaultTimes = {
  /** How long after the end of a killed leader another process takes over. */
  leaseMs: 15_000,
  resyncMs: 300_000,
  sweepMs: 10_000,
  propagationMs: 2000,
  deletionMs: 60_000,
  takenMs: 10_000,
};

export interface ComposedOperator {
  /** The operations listener's application. */
  operations: Koa;
  component: Component;
  /** Updates the metrics that are measured only when they are requested. */
  measure(): void;
}

/** Assembles the operator: a process that makes clients of `OIDCClient` resources. */
export function composeOperator(deps: ComposeOperatorDeps): ComposedOperator {
  const { config, accessModel, clock, logger, metrics, tracing, kubernetes, leases, namespaces } = deps;
  const times = { ...defaultTimes, ...deps.times };
  const ports = measuredPorts(deps.ports, { metrics, clock, tracing });
  const apis = accessModel.apis.map(({ audience, scopes }) => ({
    audience,
    scopes: scopes.map(({ name }) => name),
  }));
  const restrictions = {
    deviceFlow: config.deviceFlow,
    claims: knownClaims(accessModel, config.issuer),
  };
  const operator = createOperator({
    ...times,
    kubernetes,
    namespaces,
    clients: operatorClients({ ...deps, ports }),
    cluster: config.operatorCluster,
    rules: { claims: config.operatorClaims, firstParty: config.operatorFirstParty },
    check: (value) => {
      const parsed = parseClientDocuments([{ origin: 'spec', value }], apis, restrictions);
      return parsed.ok
        ? []
        : parsed.problems.map(({ path, message }) => `spec${path.replaceAll('/', '.')} ${message}`);
    },
    addresses: addressesOf(config.issuer),
    clock,
    logger,
    metrics: { reconciled: (outcome) => metrics.operatorLooks.inc({ outcome }) },
  });
  const leadership = createLeadership({
    leases,
    name: config.operatorLease,
    holder: newId('operator'),
    leaseMs: times.leaseMs,
    logger,
    stopWithoutLease: { clock },
    work: {
      start: () => {
        metrics.operatorLeader.set(1);
        operator.start();
      },
      stop: async () => {
        metrics.operatorLeader.set(0);
        await operator.stop();
      },
    },
  });
  const measure = () => measureOperator(operator, metrics);
  return {
    measure,
    operations: composeOperations({ ...deps, ports }, async () => measure()),
    component: { name: 'operator', start: leadership.start, stop: leadership.stop, stopSeconds: 10 },
  };
}

function measureOperator(operator: Operator, metrics: ComposeDeps['metrics']): void {
  const { ready, notReady, waiting } = operator.state();
  metrics.operatorResources.set(ready, { state: 'ready' });
  metrics.operatorResources.set(notReady, { state: 'not_ready' });
  metrics.operatorWaiting.set(waiting);
}

function addressesOf(issuer: string) {
  return {
    issuer,
    discovery_url: `${issuer}/.well-known/openid-configuration`,
    authorization_endpoint: `${issuer}${routes.authorization}`,
    token_endpoint: `${issuer}${routes.token}`,
    userinfo_endpoint: `${issuer}${routes.userinfo}`,
    jwks_uri: `${issuer}${routes.jwks}`,
  };
}

/** The clients of the store for the operator. A client that is deleted or disabled loses what it was issued. */
function operatorClients({
  ports,
  clock,
  logger,
}: Pick<ComposeDeps, 'ports' | 'clock' | 'logger'>): OperatorClients {
  const { clients: store } = ports;
  const denylist = createCachedDenylist({
    store: ports.denylist,
    cache: ports.revocationCache,
    clock,
    logger,
  });
  const unitOfWork = noticeChanges(ports.unitOfWork, { clock, denylist });
  const { endWithin } = createClientRevocation({
    unitOfWork,
    clock,
    denylist,
    refreshTokenSeconds: longestRefreshTokenSeconds,
  });
  const writes = createClientWrites({ store, unitOfWork, clock, endClients: endWithin });
  return {
    all: () => store.all(),
    find: (id) => store.find(id),
    version: () => store.version(),
    isInFile: async (id) => (await writes.fileIds()).has(id),
    put: async (client, stored) => {
      const [write, afterwards] = await unitOfWork.run(async (stores) => {
        const done = await stores.clients.put(client, stored?.revision);
        const ends = client.document.enabled === false && stored?.document.enabled !== false;
        const disabled = ends && done.outcome === 'updated' ? [client.id] : [];
        return [done, await endWithin(stores, { deleted: [], disabled })] as const;
      });
      await afterwards();
      return write;
    },
    delete: writes.delete,
  };
}
