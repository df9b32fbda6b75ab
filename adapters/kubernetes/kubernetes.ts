import type {
  ClientResource,
  ClientResourceStatus,
  Kubernetes,
  KubernetesEvent,
  KubernetesSecret,
  KubernetesWatch,
  KubernetesWrite,
  ObjectKey,
  SecretMetadata,
} from '../../provider/ports/kubernetes.ts';
import { type Api, type ApiAnswer, refusal } from './api.ts';
import { createWatch, type WatchDeps } from './watch.ts';

export interface KubernetesClientDeps
  extends Pick<WatchDeps, 'cycleSeconds' | 'patienceSeconds' | 'maxPauseMs'> {
  api: Api;
  /** The namespaces to watch; undefined for all. */
  namespaces: readonly string[] | undefined;
  onWatchChange: WatchDeps['onChange'];
  /** Milliseconds since the epoch. */
  now(): number;
}

const group = '/apis/gatehouse.dev/v1alpha1';
const apiVersion = 'gatehouse.dev/v1alpha1';
const kind = 'OIDCClient';
const mergePatch = 'application/merge-patch+json';

const statusFields = ['observedGeneration', 'clientId', 'secretName', 'nextRotation', 'conditions'] as const;

/** Kubernetes, by its HTTP API. */
export class KubernetesClient implements Kubernetes {
  readonly #deps: KubernetesClientDeps;
  readonly #api: Api;

  constructor(deps: KubernetesClientDeps) {
    this.#deps = deps;
    this.#api = deps.api;
  }

  watchClients(): KubernetesWatch<ClientResource> {
    return this.#watch(group, 'oidcclients');
  }

  watchSecrets(): KubernetesWatch<SecretMetadata> {
    // The content of Secrets that no resource names is never read.
    return this.#watch('/api/v1', 'secrets', true);
  }

  async findSecret(key: ObjectKey): Promise<KubernetesSecret | undefined> {
    const answer = await this.#api.call({ method: 'GET', path: secretPath(key) });
    return answer.status === 404 ? undefined : secretOf(answer);
  }

  async writeSecret(
    secret: ObjectKey & { data: Record<string, string>; annotations: Record<string, string> },
    owner: ClientResource,
    current?: KubernetesSecret,
  ): Promise<KubernetesWrite<KubernetesSecret>> {
    const { namespace, name, data, annotations } = secret;
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        ...current?.metadata,
        namespace,
        name,
        annotations: { ...current?.metadata.annotations, ...annotations },
        ownerReferences: [
          { apiVersion, kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true },
        ],
      },
      data: Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      ),
    };
    const answer = await this.#api.call(
      current === undefined
        ? { method: 'POST', path: secretPath({ namespace, name: '' }), body }
        : { method: 'PUT', path: secretPath(secret), body },
    );
    return written(answer, secretOf);
  }

  writeFinalizers(resource: ClientResource, finalizers: string[]): Promise<KubernetesWrite<ClientResource>> {
    return this.#patch(resource, '', { metadata: { finalizers } });
  }

  writeStatus(
    resource: ClientResource,
    status: ClientResourceStatus,
  ): Promise<KubernetesWrite<ClientResource>> {
    // In a merge patch, null removes a field (RFC 7396).
    const fields = Object.fromEntries(statusFields.map((field) => [field, status[field] ?? null]));
    return this.#patch(resource, '/status', { status: fields });
  }

  async recordEvent({ metadata }: ClientResource, { type, reason, message }: KubernetesEvent): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    const time = new Date(this.#deps.now()).toISOString().replace(/\.\d+Z/, 'Z');
    const answer = await this.#api.call({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/events`,
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace, generateName: `${name.slice(0, 200)}.` },
        involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
        type,
        reason,
        message: message.slice(0, 1024),
        source: { component: 'gatehouse-operator' },
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      },
    });
    if (answer.status >= 300) throw refusal(answer);
  }

  #watch<Object extends SecretMetadata>(base: string, plural: string, metadataOnly = false) {
    const { namespaces, onWatchChange: onChange, cycleSeconds, patienceSeconds, maxPauseMs } = this.#deps;
    const paths = namespaces?.map((namespace) => `${base}/namespaces/${namespace}/${plural}`);
    return createWatch<Object>({
      api: this.#api,
      lists: (paths ?? [`${base}/${plural}`]).map((path) => ({ path, metadataOnly })),
      onChange,
      ...(cycleSeconds !== undefined && { cycleSeconds }),
      ...(patienceSeconds !== undefined && { patienceSeconds }),
      ...(maxPauseMs !== undefined && { maxPauseMs }),
    });
  }

  async #patch(
    { metadata: { namespace, name, resourceVersion } }: ClientResource,
    part: '' | '/status',
    change: { metadata?: object; status?: object },
  ): Promise<KubernetesWrite<ClientResource>> {
    const answer = await this.#api.call({
      method: 'PATCH',
      path: `${group}/namespaces/${namespace}/oidcclients/${name}${part}`,
      contentType: mergePatch,
      body: { ...change, metadata: { ...change.metadata, resourceVersion } },
    });
    return written(answer, ({ body }) => body as ClientResource);
  }
}

const secretPath = ({ namespace, name }: ObjectKey) =>
  `/api/v1/namespaces/${namespace}/secrets${name && `/${name}`}`;

function written<Written>(answer: ApiAnswer, read: (answer: ApiAnswer) => Written): KubernetesWrite<Written> {
  if (answer.status === 409) return { outcome: 'changed' };
  if (answer.status === 404) return { outcome: 'gone' };
  if (answer.status >= 300) throw refusal(answer);
  return { outcome: 'written', object: read(answer) };
}

function secretOf(answer: ApiAnswer): KubernetesSecret {
  if (answer.status >= 300) throw refusal(answer);
  const { metadata, data = {} } = answer.body as KubernetesSecret;
  const texts = Object.entries(data).flatMap(([key, value]) => {
    const text = textOf(Buffer.from(value, 'base64'));
    return text === undefined ? [] : [[key, text] as const];
  });
  return { metadata, data: Object.fromEntries(texts) };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
