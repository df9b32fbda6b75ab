import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { type Api, type ApiAnswer, createApi } from '../../adapters/kubernetes/api.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type AccessRule, ownRules, watchedRules } from '../../provider/operator/access-rules.ts';
import { startKubernetes, type TestKubernetes } from './servers/kubernetes.ts';
import { waitFor } from './wait-for.ts';

/** A Kubernetes API server with the resource definition of `OIDCClient`, and all rights in it. */
export interface Cluster {
  api: Api;
  kubeconfig: string;
  /** The URL of the API server, and the certificate of its CA. */
  server: string;
  ca: string | undefined;
  /** Creates a namespace with a new name and gives the name. */
  createNamespace(): Promise<string>;
  /**
   * Writes a kubeconfig with the rights of the operator and no others. Gives its path.
   *
   * @param server the URL to use, for a proxy in front of the API server
   */
  operatorKubeconfig(own: string, watched: readonly string[], server?: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Defines tests that need a Kubernetes API server. Without one, it defines one test whose title says what was left out,
 * and the reporter repeats it at the end of the run. Call it once in a file, with `await`.
 */
export async function withCluster(title: string, tests: (cluster: () => Cluster) => void): Promise<void> {
  const server = await startKubernetes();
  if (server === undefined) {
    test(`left out: ${title} (no Kubernetes API server: set KUBECONFIG, or install kind)`, () => {});
    return;
  }
  const cluster = await openCluster(server);
  afterAll(() => cluster.close());
  describe(title, () => tests(() => cluster));
}

async function openCluster(server: TestKubernetes): Promise<Cluster> {
  const config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
  const api = createApi(config);
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-kubeconfigs-'));
  const { server: url = '', caData } = config.getCurrentCluster() ?? {};
  await installDefinition(api);
  const cluster: Cluster = {
    api,
    kubeconfig: server.kubeconfig,
    server: url,
    ca: caData,
    createNamespace: async () => {
      const name = `test-${randomBytes(6).toString('hex')}`;
      await create(api, '/api/v1/namespaces', { metadata: { name } });
      return name;
    },
    operatorKubeconfig: async (own, watched, through = url) => {
      const token = await operatorToken(api, own, watched);
      const path = join(folder, `${randomBytes(6).toString('hex')}.yaml`);
      const cluster =
        through === url
          ? { server: url, 'certificate-authority-data': caData }
          : { server: through, 'insecure-skip-tls-verify': true };
      const content = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'test',
        clusters: [{ name: 'test', cluster }],
        users: [{ name: 'test', user: { token } }],
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: own } }],
      };
      writeFileSync(path, JSON.stringify(content));
      return path;
    },
    close: async () => {
      await rm(folder, { recursive: true });
      await server.stop();
    },
  };
  return cluster;
}

/** Creates an object. Throws unless it was created. */
export async function create(api: Api, path: string, body: object): Promise<ApiAnswer> {
  const answer = await api.call({ method: 'POST', path, body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

const definitionFile = join(packageRoot, 'charts', 'gatehouse', 'files', 'crd-oidcclients.yaml');

async function installDefinition(api: Api): Promise<void> {
  const definition = parse(readFileSync(definitionFile, 'utf8')) as { metadata: { name: string } };
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition.metadata.name}`;
  const answer = await api.call({
    method: 'PATCH',
    path: `${path}?fieldManager=gatehouse-test&force=true`,
    body: definition,
    contentType: 'application/apply-patch+yaml',
  });
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  const isServed = async () =>
    (await api.call({ method: 'GET', path: '/apis/gatehouse.dev/v1alpha1/oidcclients' })).status === 200;
  await waitFor(isServed, { what: 'the resource definition to be served' });
}

/** A service account with the generated rules: in its own namespace, and in the watched ones. */
async function operatorToken(api: Api, own: string, watched: readonly string[]): Promise<string> {
  const name = `operator-${randomBytes(4).toString('hex')}`;
  await create(api, `/api/v1/namespaces/${own}/serviceaccounts`, { metadata: { name } });
  const grant = async (namespace: string, part: string, rules: readonly AccessRule[]) => {
    const base = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    const metadata = { name: `${name}-${part}` };
    await create(api, `${base}/roles`, { metadata, rules: rules.map(({ because: _, ...rule }) => rule) });
    await create(api, `${base}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: own }],
    });
  };
  await grant(own, 'own', ownRules);
  for (const namespace of watched) await grant(namespace, 'watched', watchedRules);
  const { body } = await create(api, `/api/v1/namespaces/${own}/serviceaccounts/${name}/token`, { spec: {} });
  return (body as { status: { token: string } }).status.token;
}
