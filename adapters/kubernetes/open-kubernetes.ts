import { KubeConfig } from '@kubernetes/client-node';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import type { Dependency } from '../../provider/ports/dependency.ts';
import type { Kubernetes } from '../../provider/ports/kubernetes.ts';
import type { Leases } from '../../provider/ports/leases.ts';
import { createApi, refusal } from './api.ts';
import { KubernetesClient, type KubernetesClientDeps } from './kubernetes.ts';
import { KubernetesLeases } from './leases.ts';

export interface KubernetesOptions
  extends Pick<
    KubernetesClientDeps,
    'cycleSeconds' | 'patienceSeconds' | 'maxPauseMs' | 'onWatchChange' | 'now'
  > {
  /** The namespaces to watch. `all` stands for every namespace, and without both for the operator's own. */
  namespaces: { all: boolean; names: readonly string[] } | undefined;
  /** The path of a kubeconfig. Otherwise the usual places count: KUBECONFIG, ~/.kube/config, the service account. */
  kubeconfig?: string | undefined;
}

export interface OpenKubernetes {
  kubernetes: Kubernetes;
  leases: Leases;
  dependency: Dependency;
  /** The watched namespaces; undefined for all. */
  namespaces: readonly string[] | undefined;
}

/** Opens the API server that the kubeconfig or the pod's service account names. It makes no request. */
export function openKubernetes(options: KubernetesOptions): OpenKubernetes {
  const { kubeconfig, namespaces: given, now } = options;
  const config = new KubeConfig();
  load(config, kubeconfig);
  const own = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  const namespaces = given?.all ? undefined : (given?.names ?? [own]);
  const api = createApi(config);
  return {
    kubernetes: new KubernetesClient({ ...options, api, namespaces }),
    leases: new KubernetesLeases({ api, namespace: own, now }),
    namespaces,
    dependency: {
      name: 'kubernetes',
      ping: async () => {
        const answer = await api.call({ method: 'GET', path: '/version', timeoutMs: 2000 });
        if (answer.status !== 200) throw refusal(answer);
      },
      close: async () => {},
    },
  };
}

function load(config: KubeConfig, kubeconfig: string | undefined): void {
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([`The kubeconfig can't be read: ${reason}`]);
  }
  // The library falls back to this address when it finds nothing.
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || server === 'http://localhost:8080')
    throw new ConfigurationError([
      'No Kubernetes API server is configured. Run gatehouse operator in a pod with a service account, or set KUBECONFIG.',
    ]);
}
