import type { Clock } from '../lib/clock.ts';
import { announcedDigests, clientsFileTopic } from '../ports/announcements.ts';
import {
  type ClientOwner,
  type ClientStore,
  isSameOwner,
  type StoredClient,
  type StoredClientSecret,
} from '../ports/client-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { EndedClients } from '../revocation/client-revocation.ts';
import {
  type ClientConflict,
  type ClientPlan,
  type PlannedChange,
  planClients,
  type WantedClient,
} from './plan-clients.ts';
import { digestOf, generateClientSecret } from './stored-secrets.ts';

export interface ClientWritesDeps {
  store: Pick<ClientStore, 'all' | 'find'>;
  unitOfWork: UnitOfWork;
  /** Ends everything that these clients were issued. Gives what is done after the commit. */
  endClients(stores: TransactionStores, clients: EndedClients): Promise<() => Promise<void>>;
  clock: Clock;
}

export interface ApplyRequest {
  owner: ClientOwner;
  wanted: readonly WantedClient[];
  /** Whether clients of the owner that are not wanted are deleted. */
  prune: boolean;
  /** Whether clients that the file of a process defines may be written: the store is used before the file. */
  fromFile?: boolean | undefined;
}

/** A secret that was generated. It can't be read again later. */
export interface GeneratedSecret {
  clientId: string;
  secret: string;
}

/** Thrown when clients belong to others. Nothing was written. */
export class ClientsTaken extends Error {
  readonly conflicts: readonly ClientConflict[];

  constructor(conflicts: readonly ClientConflict[]) {
    super('clients belong to another owner');
    this.conflicts = conflicts;
  }
}

/** Thrown inside a transaction when a client is not as it was planned for. */
class Outdated extends Error {}

/** Other writers can change a client between the plan and the transaction so often before a call gives up. */
const mostTries = 10;

export interface ClientWrites {
  /** The ids of the clients in the file that servers read. */
  fileIds(): Promise<ReadonlySet<string>>;
  /** Compares what is wanted with the store. */
  plan(request: ApplyRequest): Promise<ClientPlan>;
  /**
   * Makes the store as it is wanted, in one transaction. When nothing differs, it writes nothing.
   *
   * @param keep called with new secrets before the transaction. If it rejects, nothing is written. It may be called
   *   again when others write at the same time; a secret that is not in the result was not used.
   * @returns what was written and the secrets of new clients
   * @throws ClientsTaken
   */
  apply(
    request: ApplyRequest,
    keep?: (secrets: readonly GeneratedSecret[]) => Promise<void>,
  ): Promise<{ plan: ClientPlan; secrets: GeneratedSecret[] }>;
  /**
   * Changes the secrets that are stored beside a client's document.
   *
   * @param change gives the new list. It may be called again when others write at the same time. What it throws is
   *   thrown on.
   * @returns undefined when there is no such client
   * @throws ClientsTaken when the client has another owner
   */
  changeSecrets(
    id: string,
    owner: ClientOwner,
    change: (client: StoredClient) => Promise<readonly StoredClientSecret[]>,
  ): Promise<StoredClient | undefined>;
  /**
   * Deletes a client and ends everything that it was issued. Gives false when there is no such client.
   *
   * @throws ClientsTaken when the client has another owner
   */
  delete(id: string, owner: ClientOwner): Promise<boolean>;
}

/** The writes of clients that commands and the operator share. */
export function createClientWrites(deps: ClientWritesDeps): ClientWrites {
  const { store, unitOfWork, endClients, clock } = deps;

  const fileIds = async (): Promise<ReadonlySet<string>> => {
    const announced = await unitOfWork.run(({ announcements }) => announcements.read(clientsFileTopic));
    return new Set(announcedDigests(announced).keys());
  };
  const plan = async ({ owner, wanted, prune, fromFile }: ApplyRequest): Promise<ClientPlan> =>
    planClients({
      owner,
      wanted,
      prune,
      stored: await store.all(),
      fileIds: fromFile ? new Set() : await fileIds(),
      now: clock.now(),
    });

  const write = async (changes: readonly PlannedChange[], owner: ClientOwner): Promise<void> => {
    const afterwards = await unitOfWork.run(async (stores) => {
      for (const { id, stored, client } of changes) {
        // The first call takes the turn of the writers, so what it finds does not change until the commit.
        const current = await stores.clients.find(id);
        if (current?.revision !== stored?.revision) throw new Outdated();
        if (client === undefined) await stores.clients.delete(id, owner);
        else await stores.clients.put(client, stored?.revision);
      }
      const ended = changes.filter(({ ends }) => ends);
      const idsOf = (isDeleted: boolean) =>
        ended.filter(({ action }) => (action === 'delete') === isDeleted).map(({ id }) => id);
      return endClients(stores, { deleted: idsOf(true), disabled: idsOf(false) });
    });
    await afterwards();
  };

  const retried = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Outdated) || tries === mostTries) throw error;
      }
    }
  };

  return {
    fileIds,
    plan,
    apply: async (request, keep = async () => {}) => {
      const generated = new Map<string, string>();
      return retried(async () => {
        const planned = await plan(request);
        if (planned.conflicts.length > 0) throw new ClientsTaken(planned.conflicts);
        if (planned.changes.length === 0) return { plan: planned, secrets: [] };
        const fresh = planned.changes.filter(({ id, needsSecret }) => needsSecret && !generated.has(id));
        const secrets = fresh.map(({ id }) => ({ clientId: id, secret: generateClientSecret() }));
        if (secrets.length > 0) await keep(secrets);
        for (const { clientId, secret } of secrets) generated.set(clientId, secret);
        const changes = planned.changes.map((change) => withSecret(change, generated.get(change.id)));
        await write(changes, request.owner);
        const used = planned.changes.flatMap(({ id, needsSecret }) => (needsSecret ? id : []));
        return {
          plan: planned,
          secrets: used.map((clientId) => ({ clientId, secret: generated.get(clientId) ?? '' })),
        };
      });
    },
    changeSecrets: (id, owner, change) =>
      retried(async () => {
        const stored = await store.find(id);
        if (stored === undefined) return undefined;
        if (!isSameOwner(stored.owner, owner)) throw new ClientsTaken([{ id, by: stored.owner }]);
        const client = { id, owner, document: stored.document, secrets: await change(stored) };
        await unitOfWork.run(async ({ clients }) => {
          if ((await clients.put(client, stored.revision)).outcome === 'changed') throw new Outdated();
        });
        return { ...stored, secrets: client.secrets };
      }),
    delete: async (id, owner) => {
      const deleted = await unitOfWork.run(async (stores) => {
        const result = await stores.clients.delete(id, owner);
        if (result.outcome === 'taken') throw new ClientsTaken([{ id, by: result.by }]);
        return result.outcome === 'deleted'
          ? await endClients(stores, { deleted: [id], disabled: [] })
          : undefined;
      });
      await deleted?.();
      return deleted !== undefined;
    },
  };
}

function withSecret(change: PlannedChange, secret: string | undefined): PlannedChange {
  if (!change.needsSecret || secret === undefined || change.client === undefined) return change;
  const secrets = [...change.client.secrets, { sha256: digestOf(secret) }];
  return { ...change, client: { ...change.client, secrets } };
}
