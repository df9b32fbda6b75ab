import type { ClientResource, KubernetesWatch, ObjectKey, SecretMetadata } from '../ports/kubernetes.ts';
import { clientIdOf, resourceOf } from './acceptance.ts';
import { ChangedMeanwhile, type ReconcileDeps, reconcile } from './reconcile.ts';
import { secretNameOf } from './settle-secret.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

export interface OperatorDeps extends ReconcileDeps {
  /** The watched namespaces; undefined for all. */
  namespaces: readonly string[] | undefined;
  metrics: { reconciled(outcome: 'done' | 'failed'): void };
  /** How often every resource is looked at although nothing changed, in milliseconds. */
  resyncMs: number;
  /** How often the clients of the store are compared with the resources, if any client changed. In milliseconds. */
  sweepMs: number;
}

export interface OperatorState {
  ready: number;
  notReady: number;
  waiting: number;
}

export interface Operator {
  start(): void;
  stop(): Promise<void>;
  /** What it sees now. All numbers are 0 while it does not run. */
  state(): OperatorState;
}

interface Run {
  resources: KubernetesWatch<ClientResource>;
  secrets: KubernetesWatch<SecretMetadata>;
  queue: WorkQueue;
  sweep: Sweep;
  timer: NodeJS.Timeout;
}

interface Sweep {
  /** Compares soon, even if no client changed. Several calls in a short time cause one comparison. */
  soon(): void;
  /**
   * Compares the next time even if the store looks as before. A client that was written and deleted by others between
   * two comparisons leaves the store as it was, but its resource has no client.
   */
  expectMore(): void;
  stop(): Promise<void>;
}

const textOf = ({ namespace, name }: ObjectKey) => `${namespace}/${name}`;

const isReady = ({ status }: ClientResource): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

function keyOf(text: string): ObjectKey {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
}

/**
 * Watches resources and Secrets, and reconciles each resource that may have changed. Only one process may run it at a
 * time (compose/leadership.ts). It may be started again after it was stopped.
 */
export function createOperator(deps: OperatorDeps): Operator {
  const { kubernetes, logger, metrics } = deps;
  let run: Run | undefined;

  const start = () => {
    const resources = kubernetes.watchClients();
    const secrets = kubernetes.watchSecrets();
    const queue = createWorkQueue({
      handle: async (key) => {
        const resource = resources.find(keyOf(key));
        if (resource === undefined) return undefined;
        sweep.expectMore();
        const againMs = await reconcile(resource, deps);
        metrics.reconciled('done');
        return againMs;
      },
      failed: (key, error, retryMs) => {
        if (error instanceof ChangedMeanwhile) return;
        metrics.reconciled('failed');
        logger.warn({ resource: key, err: error, retryMs }, 'resource not handled, trying again');
      },
      workers: 8,
      minRetryMs: 200,
      maxRetryMs: 30_000,
    });
    const sweep = createSweep(deps, resources, queue);
    const addAll = () => {
      for (const { metadata } of resources.all()) queue.add(textOf(metadata));
      sweep.soon();
    };
    run = { resources, secrets, queue, sweep, timer: setInterval(addAll, deps.resyncMs).unref() };
    resources.start((key) => {
      queue.add(textOf(key));
      // The resource is gone. Its client may have been left in the store, and another resource may wait for its id.
      if (resources.find(key) === undefined) sweep.soon();
    });
    secrets.start((key) => {
      for (const { metadata, spec } of resources.all()) {
        const isNamed = secretNameOf(metadata, spec) === key.name;
        if (metadata.namespace === key.namespace && isNamed) queue.add(textOf(metadata));
      }
    });
  };

  const stop = async () => {
    const ended = run;
    run = undefined;
    if (ended === undefined) return;
    clearInterval(ended.timer);
    await Promise.all([ended.resources.stop(), ended.secrets.stop(), ended.queue.stop(), ended.sweep.stop()]);
  };

  return {
    start,
    stop,
    state: () => {
      const all = run?.resources.all() ?? [];
      const ready = all.filter(isReady).length;
      return { ready, notReady: all.length - ready, waiting: run?.queue.depth() ?? 0 };
    },
  };
}

/**
 * Compares the clients of the store with the resources, when any client changed since the last time: a client without a
 * resource is deleted, and a resource whose client changed is looked at. So a change by a person in the store is
 * repaired, and a client whose resource was deleted while the store was unreachable does not stay.
 */
function createSweep(
  deps: OperatorDeps,
  resources: KubernetesWatch<ClientResource>,
  queue: WorkQueue,
): Sweep {
  const { clients, namespaces, cluster, logger, sweepMs } = deps;
  let version: string | undefined;
  let revisions = new Map<string, string>();
  let isAway = false;

  const isWatched = (namespace: string) => namespaces === undefined || namespaces.includes(namespace);

  const compare = async () => {
    const now = await clients.version();
    if (now === version || !resources.complete()) return;
    version = now;
    // The store is read before the copy of the resources: a client that is written meanwhile has its resource there.
    const stored = await clients.all();
    for (const { id, owner } of stored) {
      const key = owner.source === 'kubernetes' ? resourceOf(cluster, owner.name) : undefined;
      if (key === undefined || !isWatched(key.namespace)) continue;
      const resource = resources.find(key);
      if (resource !== undefined && clientIdOf(resource) === id) continue;
      if (await clients.delete(id, owner))
        logger.info({ resource: textOf(key), clientId: id }, 'client without a resource deleted');
    }
    const seen = new Map(stored.map(({ id, revision }) => [id, revision]));
    for (const resource of resources.all()) {
      const id = clientIdOf(resource);
      const isMissing = !seen.has(id) && isReady(resource);
      if (isMissing || seen.get(id) !== revisions.get(id)) queue.add(textOf(resource.metadata));
    }
    revisions = seen;
  };

  const attempt = async () => {
    try {
      await compare();
      if (isAway) logger.info({}, 'clients can be read again');
      isAway = false;
    } catch (error) {
      version = undefined;
      if (!isAway) logger.warn({ err: error }, 'clients cannot be read, resources wait');
      isAway = true;
    }
  };

  let running = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const after = (ms: number) => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(attempt).then(() => after(sweepMs));
    }, ms).unref();
  };
  after(sweepMs);
  return {
    expectMore: () => {
      version = undefined;
    },
    soon: () => {
      version = undefined;
      after(200);
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
