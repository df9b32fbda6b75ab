import type { RegisteredClient, RegisteredClients } from '../../provider/ports/registered-clients.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface Row {
  id: string;
  metadata: Record<string, unknown>;
  secret_sha256: string | null;
  access_token_sha256: string;
  created_at: string;
  expires_at: string;
}

const toClient = (row: Row): RegisteredClient => ({
  id: row.id,
  metadata: row.metadata,
  secretSha256: row.secret_sha256 ?? undefined,
  accessTokenSha256: row.access_token_sha256,
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
});

export class PostgresRegisteredClients implements RegisteredClients {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async find(id: string, now: number): Promise<RegisteredClient | undefined> {
    if (!storable(id)) return undefined;
    const text = 'select * from registered_clients where id = :id and expires_at > :now';
    const [row] = await rows<Row>(this.#db, text, { id, now });
    return row && toClient(row);
  }

  async list(now: number): Promise<RegisteredClient[]> {
    const text = 'select * from registered_clients where expires_at > :now order by created_at desc, id';
    return (await rows<Row>(this.#db, text, { now })).map(toClient);
  }

  async add(client: RegisteredClient, { most, now }: { most: number; now: number }): Promise<boolean> {
    const written = await affected(
      this.#db,
      `insert into registered_clients
         (id, metadata, secret_sha256, access_token_sha256, created_at, expires_at)
       select :id, :metadata::jsonb, :secretSha256, :accessTokenSha256, :createdAt, :expiresAt
       where (select count(*) from registered_clients where expires_at > :now) < :most`,
      {
        id: client.id,
        metadata: JSON.stringify(client.metadata),
        secretSha256: client.secretSha256 ?? null,
        accessTokenSha256: client.accessTokenSha256,
        createdAt: client.createdAt,
        expiresAt: client.expiresAt,
        most,
        now,
      },
    );
    return written === 1;
  }

  async update({
    id,
    metadata,
    secretSha256,
  }: Pick<RegisteredClient, 'id' | 'metadata' | 'secretSha256'>): Promise<boolean> {
    const written = await affected(
      this.#db,
      'update registered_clients set metadata = :metadata::jsonb, secret_sha256 = :secretSha256 where id = :id',
      { id, metadata: JSON.stringify(metadata), secretSha256: secretSha256 ?? null },
    );
    return written === 1;
  }

  async keep(id: string, expiresAt: number): Promise<void> {
    const text =
      'update registered_clients set expires_at = :expiresAt where id = :id and expires_at < :expiresAt';
    await affected(this.#db, text, { id, expiresAt });
  }

  async remove(id: string): Promise<boolean> {
    if (!storable(id)) return false;
    return (await affected(this.#db, 'delete from registered_clients where id = :id', { id })) === 1;
  }

  async addToken(sha256: string, expiresAt: number): Promise<void> {
    const text = 'insert into registration_tokens (sha256, expires_at) values (:sha256, :expiresAt)';
    await affected(this.#db, text, { sha256, expiresAt });
  }

  async hasToken(sha256: string, now: number): Promise<boolean> {
    const text = 'select 1 from registration_tokens where sha256 = :sha256 and expires_at > :now';
    return (await rows(this.#db, text, { sha256, now })).length === 1;
  }
}
