import {
  type ClientOwner,
  type ClientStore,
  type ClientWrite,
  type ClientWriter,
  isSameOwner,
  type StoredClient,
  type StoredClientSecret,
} from '../../provider/ports/client-store.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

/** The channel of the signal that clients changed. */
export const clientsChannel = 'gatehouse_clients';

/** An arbitrary pair of numbers for the lock of the writers: 'gate' in ASCII, and 2. The schema uses 1. */
const writersLock = 'pg_advisory_xact_lock(1734440037, 2)';

interface Row {
  id: string;
  source: ClientOwner['source'];
  owner: string;
  document: Record<string, unknown>;
  secrets: StoredClientSecret[];
  revision: string;
  updated_ms: string;
}

const columns = `id, source, owner, document, secrets, revision, floor(extract(epoch from updated_at) * 1000) as updated_ms`;

const toClient = (row: Row): StoredClient => ({
  id: row.id,
  owner: { source: row.source, name: row.owner },
  document: row.document,
  secrets: row.secrets,
  revision: row.revision,
  updatedAt: Number(row.updated_ms),
});

async function findClient(db: Sql, id: string): Promise<StoredClient | undefined> {
  if (!storable(id)) return undefined;
  const [row] = await rows<Row>(db, `select ${columns} from clients where id = :id`, { id });
  return row && toClient(row);
}

/** The version of a set of clients, which `PostgresClientStore.version` computes in the database. */
export function versionOf(clients: readonly StoredClient[]): string {
  return `${clients.length}:${clients.reduce((sum, { revision }) => sum + BigInt(revision), 0n)}`;
}

export class PostgresClientStore implements ClientStore {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async all(): Promise<StoredClient[]> {
    return (await rows<Row>(this.#db, `select ${columns} from clients order by id`)).map(toClient);
  }

  find(id: string): Promise<StoredClient | undefined> {
    return findClient(this.#db, id);
  }

  /** Writers take turns, so revisions grow in the order of the commits. With as many clients, the sum grows too. */
  async version(): Promise<string> {
    const [row] = await rows<{ version: string }>(
      this.#db,
      "select count(*) || ':' || coalesce(sum(revision), 0) as version from clients",
    );
    return row?.version ?? '';
  }
}

/**
 * The writes of one transaction. They wait for every other transaction that uses a writer, from the first call to the
 * commit. So the outcome of a write does not depend on writes that are not committed, and transactions that write the
 * same clients in different orders do not block each other.
 */
export class PostgresClientWriter implements ClientWriter {
  readonly #db: Sql;

  /** @param options.db a transaction, not the pool */
  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async find(id: string): Promise<StoredClient | undefined> {
    await this.#takeTurn();
    return findClient(this.#db, id);
  }

  async put(
    { id, owner, document, secrets }: Pick<StoredClient, 'id' | 'owner' | 'document' | 'secrets'>,
    expected?: string,
  ): Promise<ClientWrite> {
    await this.#takeTurn();
    const [written] = await rows<{ revision: string; created: boolean }>(
      this.#db,
      `insert into clients as known (id, source, owner, document, secrets)
       select :id, :source, :owner, :document::jsonb, :secrets::jsonb
       where :expected::bigint is null or exists (select from clients where id = :id)
       on conflict (id) do update set
         document = excluded.document, secrets = excluded.secrets, revision = excluded.revision,
         updated_at = clock_timestamp()
       where known.source = excluded.source and known.owner = excluded.owner
         and known.revision = coalesce(:expected::bigint, known.revision)
         and (known.document, known.secrets) is distinct from (excluded.document, excluded.secrets)
       returning revision, xmax = 0 as created`,
      {
        id,
        source: owner.source,
        owner: owner.name,
        document: JSON.stringify(document),
        secrets: JSON.stringify(secrets),
        expected: expected ?? null,
      },
    );
    if (written !== undefined) {
      await this.#signal();
      return { outcome: written.created ? 'created' : 'updated', revision: written.revision };
    }
    const known = await findClient(this.#db, id);
    if (known === undefined) return { outcome: 'changed' };
    if (!isSameOwner(known.owner, owner)) return { outcome: 'taken', by: known.owner };
    if (expected !== undefined && expected !== known.revision) return { outcome: 'changed' };
    return { outcome: 'unchanged', revision: known.revision };
  }

  async delete(id: string, owner: ClientOwner): ReturnType<ClientWriter['delete']> {
    await this.#takeTurn();
    const known = await findClient(this.#db, id);
    if (known === undefined) return { outcome: 'unchanged' };
    if (!isSameOwner(known.owner, owner)) return { outcome: 'taken', by: known.owner };
    await affected(this.#db, 'delete from clients where id = :id', { id });
    await this.#signal();
    return { outcome: 'deleted' };
  }

  async #takeTurn(): Promise<void> {
    await affected(this.#db, `select ${writersLock}`);
  }

  /** Postgres sends the signal when the transaction is committed, and once for all writes of a transaction. */
  async #signal(): Promise<void> {
    await affected(this.#db, "select pg_notify(:channel, '')", { channel: clientsChannel });
  }
}
