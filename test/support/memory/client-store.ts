import { isEqualDocument } from '../../../provider/clients/describe-change.ts';
import {
  type ClientOwner,
  type ClientStore,
  type ClientWrite,
  type ClientWriter,
  isSameOwner,
  type StoredClient,
} from '../../../provider/ports/client-store.ts';
import type { Access } from './database.ts';

let lastRevision = 0;

/** Clients in a MemoryDatabase shared with the other stores of a transaction. For tests. */
export class MemoryClientStore implements ClientStore, ClientWriter {
  readonly #database: Access;

  constructor({ database }: { database: Access }) {
    this.#database = database;
  }

  all(): Promise<StoredClient[]> {
    return this.#database.use(({ clients }) =>
      structuredClone([...clients.values()].sort((one, other) => (one.id < other.id ? -1 : 1))),
    );
  }

  find(id: string): Promise<StoredClient | undefined> {
    return this.#database.use(({ clients }) => structuredClone(clients.get(id)));
  }

  version(): Promise<string> {
    return this.#database.use(({ clients }) =>
      [...clients.values()].map(({ id, revision }) => `${id} ${revision}`).join(),
    );
  }

  put(
    client: Pick<StoredClient, 'id' | 'owner' | 'document' | 'secrets'>,
    expected?: string,
  ): Promise<ClientWrite> {
    return this.#database.use(({ clients }): ClientWrite => {
      const known = clients.get(client.id);
      if (known === undefined && expected !== undefined) return { outcome: 'changed' };
      if (known !== undefined && !isSameOwner(known.owner, client.owner))
        return { outcome: 'taken', by: known.owner };
      if (known !== undefined && expected !== undefined && known.revision !== expected)
        return { outcome: 'changed' };
      const { document, secrets } = structuredClone(client);
      if (known !== undefined && isEqualDocument([known.document, known.secrets], [document, secrets]))
        return { outcome: 'unchanged', revision: known.revision };
      lastRevision += 1;
      const revision = String(lastRevision);
      clients.set(client.id, {
        id: client.id,
        owner: client.owner,
        document,
        secrets,
        revision,
        updatedAt: Date.now(),
      });
      return { outcome: known === undefined ? 'created' : 'updated', revision };
    });
  }

  delete(id: string, owner: ClientOwner): ReturnType<ClientWriter['delete']> {
    return this.#database.use(({ clients }): Awaited<ReturnType<ClientWriter['delete']>> => {
      const known = clients.get(id);
      if (known === undefined) return { outcome: 'unchanged' };
      if (!isSameOwner(known.owner, owner)) return { outcome: 'taken', by: known.owner };
      clients.delete(id);
      return { outcome: 'deleted' };
    });
  }
}
