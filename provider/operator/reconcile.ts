import { isDeepStrictEqual } from 'node:util';
import {
  type ClientOwner,
  type ClientStore,
  type ClientWrite,
  describeOwner,
  isSameOwner,
  type StoredClient,
} from '../ports/client-store.ts';
import type { ClientResource, ClientResourceStatus } from '../ports/kubernetes.ts';
import {
  type Acceptable,
  accept,
  type CheckDocument,
  clientIdOf,
  type NamespaceRules,
  ownerName,
} from './acceptance.ts';
import {
  conditionsOf,
  eventsOf,
  type Finding,
  type Findings,
  found,
  isSameStatus,
  missing,
} from './conditions.ts';
import { type SecretDeps, type SecretResult, settleSecret } from './settle-secret.ts';

/** The clients of the store. A client that is deleted or disabled loses what it was issued. */
export interface OperatorClients extends Pick<ClientStore, 'all' | 'find' | 'version'> {
  /** Whether the clients file of a server has this id. */
  isInFile(id: string): Promise<boolean>;
  /** Creates or replaces a client. @param stored what the caller read; the write fails if the client changed since */
  put(
    client: Pick<StoredClient, 'id' | 'owner' | 'document' | 'secrets'>,
    stored: StoredClient | undefined,
  ): Promise<ClientWrite>;
  /** Gives false when there is no such client. Rejects when it has another owner. */
  delete(id: string, owner: ClientOwner): Promise<boolean>;
}

export interface ReconcileDeps extends SecretDeps {
  clients: OperatorClients;
  /** The name of the cluster in the owners of clients, if several clusters write to the store. */
  cluster: string | undefined;
  rules: NamespaceRules;
  check: CheckDocument;
  /** How long the deletion of a resource waits for the store, in milliseconds. */
  deletionMs: number;
  /** When a resource looks again for a client id that another owner has, in milliseconds. */
  takenMs: number;
}

export const finalizer = 'gatehouse.dev/client';

const textOf = ({ metadata: { namespace, name } }: ClientResource) => `${namespace}/${name}`;

/** Another writer changed the object at the same time. The next look starts from its new state. */
export class ChangedMeanwhile extends Error {
  constructor() {
    super('changed by another process at the same time');
    this.name = 'ChangedMeanwhile';
  }
}

/**
 * Brings the store, the Secret and the status of one resource to what its spec says. It looks at the current state only,
 * so it may run at any time and any number of times. When everything is right already, it writes nothing.
 *
 * @returns the milliseconds after which to look again, or undefined
 */
export async function reconcile(resource: ClientResource, deps: ReconcileDeps): Promise<number | undefined> {
  if (resource.metadata.deletionTimestamp !== undefined) return end(resource, deps);
  const owner: ClientOwner = { source: 'kubernetes', name: ownerName(deps.cluster, resource.metadata) };
  const { finding, acceptable } = accept(resource, deps.rules, deps.check);
  if (acceptable === undefined) return report(resource, finding, owner, deps);
  const held = await withFinalizer(resource, deps);
  const stored = await deps.clients.find(acceptable.clientId);
  const taken = await takenBy(acceptable.clientId, stored, owner, deps);
  if (taken !== undefined) {
    await report(held, taken, owner, deps);
    // Nothing says when a file or another owner gives the id up.
    return deps.takenMs;
  }
  const secret = await settleSecret(
    {
      resource: held,
      acceptable,
      stored,
      put: (secrets) => put(held, acceptable, owner, stored, secrets, deps),
    },
    deps,
  );
  await writeStatus(held, deps, statusOf(acceptable, finding, secret, stored));
  return secret.againMs;
}

function statusOf(
  { clientId }: Acceptable,
  accepted: Finding,
  secret: SecretResult,
  stored: StoredClient | undefined,
): { findings: Findings } & Omit<ClientResourceStatus, 'conditions' | 'observedGeneration'> {
  const isInUse = secret.written || stored !== undefined;
  const until = isInUse ? ' The secret before it stays in use.' : ' The client is not in use yet.';
  const ready =
    secret.finding.status === 'True'
      ? found('InUse', `The client ${clientId} is in use.`)
      : missing('SecretNotReady', `${secret.finding.message}${until}`);
  return {
    findings: { Accepted: accepted, SecretReady: secret.finding, Ready: ready },
    clientId,
    ...(secret.secretName !== undefined && { secretName: secret.secretName }),
    ...(secret.nextRotation !== undefined && { nextRotation: secret.nextRotation }),
  };
}

async function takenBy(
  clientId: string,
  stored: StoredClient | undefined,
  owner: ClientOwner,
  { clients }: ReconcileDeps,
): Promise<Finding | undefined> {
  if (stored !== undefined && !isSameOwner(stored.owner, owner)) return taken(clientId, stored.owner);
  if (stored !== undefined || !(await clients.isInFile(clientId))) return undefined;
  return missing(
    'ClientIdTaken',
    `The client ${clientId} is in the clients file of a server. Remove it there, or use another client id here.`,
  );
}

const taken = (clientId: string, by: ClientOwner): Finding =>
  missing(
    'ClientIdTaken',
    `The client ${clientId} belongs to ${describeOwner(by)}. Delete it there, or use another client id here.`,
  );

/** The spec is not in use. A good client that an earlier spec made stays as it is. */
async function report(
  resource: ClientResource,
  finding: Finding,
  owner: ClientOwner,
  deps: ReconcileDeps,
): Promise<undefined> {
  const clientId = clientIdOf(resource);
  const stored = await deps.clients.find(clientId);
  const stays = stored !== undefined && isSameOwner(stored.owner, owner);
  const rest = stays ? ' The last valid spec stays in use.' : '';
  const before = resource.status?.conditions?.find(({ type }) => type === 'SecretReady');
  const secret: Finding = before ?? {
    status: 'Unknown',
    reason: 'NotAccepted',
    message: 'The spec is not accepted.',
  };
  await writeStatus(resource, deps, {
    findings: {
      Accepted: finding,
      SecretReady: secret,
      Ready: missing(finding.reason, `${finding.message}${rest}`),
    },
    ...(stays && { clientId }),
    ...(stays && resource.status?.secretName !== undefined && { secretName: resource.status.secretName }),
  });
}

async function put(
  resource: ClientResource,
  { clientId, document }: Acceptable,
  owner: ClientOwner,
  stored: StoredClient | undefined,
  secrets: StoredClient['secrets'],
  { clients, logger }: ReconcileDeps,
): Promise<void> {
  const isSame = isDeepStrictEqual([stored?.document, stored?.secrets], [document, secrets]);
  if (isSame) return;
  const client = { id: clientId, owner, document, secrets };
  const write = await clients.put(client, stored);
  if (write.outcome === 'changed' || write.outcome === 'taken') throw new ChangedMeanwhile();
  if (write.outcome !== 'unchanged')
    logger.info(
      { resource: textOf(resource), clientId, outcome: write.outcome },
      'client of a resource written',
    );
}

async function withFinalizer(
  resource: ClientResource,
  { kubernetes }: ReconcileDeps,
): Promise<ClientResource> {
  const { finalizers = [] } = resource.metadata;
  if (finalizers.includes(finalizer)) return resource;
  const write = await kubernetes.writeFinalizers(resource, [...finalizers, finalizer]);
  if (write.outcome !== 'written') throw new ChangedMeanwhile();
  return write.object;
}

/**
 * Deletes the client of a resource that is being deleted. While the store is unreachable, the deletion waits for a
 * bounded time. After that the client is left in the store, and is deleted when the store is back (operator.ts).
 */
async function end(resource: ClientResource, deps: ReconcileDeps): Promise<number | undefined> {
  const { kubernetes, clients, clock, logger, cluster, deletionMs } = deps;
  const { finalizers = [], deletionTimestamp = '' } = resource.metadata;
  if (!finalizers.includes(finalizer)) return undefined;
  const clientId = clientIdOf(resource);
  const owner: ClientOwner = { source: 'kubernetes', name: ownerName(cluster, resource.metadata) };
  try {
    const stored = await clients.find(clientId);
    const isOwn = stored !== undefined && isSameOwner(stored.owner, owner);
    if (isOwn && (await clients.delete(clientId, owner)))
      logger.info({ resource: textOf(resource), clientId }, 'client of a resource deleted');
  } catch (error) {
    if (Date.parse(deletionTimestamp) + deletionMs > clock.now()) throw error;
    logger.warn(
      { resource: textOf(resource), clientId, err: error },
      'resource deleted without the database, its client follows later',
    );
  }
  const rest = finalizers.filter((name) => name !== finalizer);
  const { outcome } = await kubernetes.writeFinalizers(resource, rest);
  if (outcome === 'changed') throw new ChangedMeanwhile();
  return undefined;
}

async function writeStatus(
  resource: ClientResource,
  { kubernetes, clock, logger }: ReconcileDeps,
  {
    findings,
    ...rest
  }: { findings: Findings } & Omit<ClientResourceStatus, 'conditions' | 'observedGeneration'>,
): Promise<void> {
  const { status: before = {}, metadata } = resource;
  const generation = metadata.generation ?? 0;
  const conditions = conditionsOf(findings, before.conditions ?? [], generation, clock.now());
  const status: ClientResourceStatus = { ...rest, observedGeneration: generation, conditions };
  if (isSameStatus(before, status)) return;
  const { outcome } = await kubernetes.writeStatus(resource, status);
  if (outcome === 'changed') throw new ChangedMeanwhile();
  if (outcome === 'gone') return;
  for (const event of eventsOf(before.conditions ?? [], conditions)) {
    await kubernetes
      .recordEvent(resource, event)
      .catch((error: unknown) =>
        logger.warn({ resource: textOf(resource), err: error }, 'kubernetes event not written'),
      );
  }
}
