import type { Leases } from '../../provider/ports/leases.ts';
import { type Api, refusal } from './api.ts';

interface LeaseObject {
  metadata: { name: string; resourceVersion: string };
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface KubernetesLeasesDeps {
  api: Api;
  namespace: string;
  /** Milliseconds since any fixed moment. It never goes back. */
  elapsed?: () => number;
  /** Milliseconds since the epoch. Only people read the times that it gives. */
  now(): number;
}

/**
 * Leases of Kubernetes (`coordination.k8s.io`). A lease has expired when this process has seen no change of it for its
 * duration, by its own clock. So the times in the lease, which other clocks wrote, do not matter.
 */
export class KubernetesLeases implements Leases {
  readonly #api: Api;
  readonly #namespace: string;
  readonly #elapsed: () => number;
  readonly #now: () => number;
  readonly #seen = new Map<string, { version: string; since: number }>();

  constructor({ api, namespace, elapsed = () => performance.now(), now }: KubernetesLeasesDeps) {
    this.#api = api;
    this.#namespace = namespace;
    this.#elapsed = elapsed;
    this.#now = now;
  }

  async hold(name: string, holder: string, leaseMs: number): Promise<boolean> {
    const lease = await this.#find(name);
    if (lease === undefined) return this.#create(name, holder, leaseMs);
    const { holderIdentity = '', acquireTime, leaseTransitions = 0 } = lease.spec ?? {};
    const isOwn = holderIdentity === holder;
    if (!isOwn && holderIdentity !== '' && !this.#hasExpired(lease)) return false;
    return this.#replace(lease, {
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: isOwn && acquireTime !== undefined ? acquireTime : this.#time(),
      renewTime: this.#time(),
      leaseTransitions: isOwn ? leaseTransitions : leaseTransitions + 1,
    });
  }

  async release(name: string, holder: string): Promise<void> {
    const lease = await this.#find(name);
    if (lease?.spec?.holderIdentity !== holder) return;
    await this.#replace(lease, { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 });
  }

  #hasExpired({ metadata, spec }: LeaseObject): boolean {
    const seen = this.#seen.get(metadata.name);
    if (seen?.version !== metadata.resourceVersion) {
      this.#seen.set(metadata.name, { version: metadata.resourceVersion, since: this.#elapsed() });
      return false;
    }
    return this.#elapsed() - seen.since >= (spec?.leaseDurationSeconds ?? 0) * 1000;
  }

  /** The form of `MicroTime`. */
  #time(): string {
    return new Date(this.#now()).toISOString().replace('Z', '000Z');
  }

  #path(name = ''): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#namespace}/leases${name && `/${name}`}`;
  }

  async #find(name: string): Promise<LeaseObject | undefined> {
    const answer = await this.#api.call({ method: 'GET', path: this.#path(name), timeoutMs: 5000 });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refusal(answer);
    return answer.body as LeaseObject;
  }

  async #create(name: string, holder: string, leaseMs: number): Promise<boolean> {
    const spec: NonNullable<LeaseObject['spec']> = {
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: this.#time(),
      renewTime: this.#time(),
      leaseTransitions: 0,
    };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec };
    return this.#write('POST', this.#path(), body);
  }

  #replace({ metadata }: LeaseObject, spec: LeaseObject['spec']): Promise<boolean> {
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    return this.#write('PUT', this.#path(metadata.name), body);
  }

  /** Gives false when another process wrote first. */
  async #write(method: 'POST' | 'PUT', path: string, body: object): Promise<boolean> {
    const answer = await this.#api.call({ method, path, body, timeoutMs: 5000 });
    if (answer.status === 409 || (method === 'PUT' && answer.status === 404)) return false;
    if (answer.status >= 300) throw refusal(answer);
    return true;
  }
}
