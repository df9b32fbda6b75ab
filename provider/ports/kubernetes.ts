/** The fields of an object's metadata that the operator reads. */
export interface KubernetesMetadata {
  namespace: string;
  name: string;
  uid: string;
  /** Another value after each change of the object. */
  resourceVersion: string;
  /** Another number after each change of the spec. */
  generation?: number;
  /** ISO 8601. */
  deletionTimestamp?: string;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { uid: string }[];
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  /** One word in CamelCase, for programs. */
  reason: string;
  /** What it means and what to do, for people. */
  message: string;
  observedGeneration?: number;
  /** ISO 8601: when `status` changed last. */
  lastTransitionTime: string;
}

export interface ClientResourceStatus {
  observedGeneration?: number;
  clientId?: string;
  secretName?: string;
  nextRotation?: string;
  conditions?: Condition[];
}

/** An `OIDCClient`. */
export interface ClientResource {
  metadata: KubernetesMetadata;
  spec: Record<string, unknown>;
  status?: ClientResourceStatus;
}

/** A Secret without its content. */
export interface SecretMetadata {
  metadata: KubernetesMetadata;
}

export interface KubernetesSecret extends SecretMetadata {
  /** Decoded. Values that are no text are left out. */
  data: Record<string, string>;
}

export interface KubernetesEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** What a write did: `changed` if the object has another `resourceVersion` than the caller read, or exists already. */
export type KubernetesWrite<Written> =
  | { outcome: 'written'; object: Written }
  | { outcome: 'changed' }
  | { outcome: 'gone' };

/** The API server refused a request, and a retry gives the same answer until a person changes something. */
export class KubernetesRefused extends Error {
  /** The HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'KubernetesRefused';
    this.status = status;
  }
}

/** Where an object is. */
export type ObjectKey = Pick<KubernetesMetadata, 'namespace' | 'name'>;

/**
 * A copy of all objects of one kind in the watched namespaces.
 *
 * After `start`, the copy converges to the state of the API server, also after a fault: a restart of the server,
 * answers with errors, a connection that goes silent. `changed` is called at least once after each change that the copy
 * took over, and for each object after the first complete list. An error that it throws changes nothing.
 */
export interface KubernetesWatch<Watched> {
  start(changed: (key: ObjectKey) => void): void;
  /** Whether every namespace was listed completely since the start. Before that, a missing object means nothing. */
  complete(): boolean;
  find(key: ObjectKey): Watched | undefined;
  all(): Watched[];
  stop(): Promise<void>;
}

/**
 * What the operator needs of Kubernetes. Every call ends within a bounded time. Calls reject with StoreUnavailable when
 * the API server can't be reached, and with KubernetesRefused when it refuses.
 *
 * Concurrency: a write of an existing object is conditional on its `resourceVersion`. So of two writers that read the
 * same version, one gets `changed`.
 */
export interface Kubernetes {
  watchClients(): KubernetesWatch<ClientResource>;
  watchSecrets(): KubernetesWatch<SecretMetadata>;
  findSecret(key: ObjectKey): Promise<KubernetesSecret | undefined>;
  /**
   * Creates the Secret of a resource, which then owns it, or replaces its content.
   *
   * @param current what the caller read; left out to create it
   */
  writeSecret(
    secret: ObjectKey & { data: Record<string, string>; annotations: Record<string, string> },
    owner: ClientResource,
    current?: KubernetesSecret,
  ): Promise<KubernetesWrite<KubernetesSecret>>;
  writeFinalizers(resource: ClientResource, finalizers: string[]): Promise<KubernetesWrite<ClientResource>>;
  writeStatus(
    resource: ClientResource,
    status: ClientResourceStatus,
  ): Promise<KubernetesWrite<ClientResource>>;
  /** Tells something about a resource to the people who look at it (`kubectl describe`). */
  recordEvent(resource: ClientResource, event: KubernetesEvent): Promise<void>;
}
