import type { Clock } from '../../provider/lib/clock.ts';
import type {
  Artifact,
  ArtifactKind,
  ConsumeOutcome,
  OidcStore,
  StoredArtifact,
} from '../../provider/ports/oidc-store.ts';
import { affected, type Binding, rows, type Sql, storable } from './sql.ts';

interface ArtifactRow {
  key: string;
  payload: string;
  index_key: string | null;
  expires_at: string;
  consumed_at: string | null;
}

function toArtifact(row: ArtifactRow): StoredArtifact {
  return {
    key: row.key,
    payload: row.payload,
    expiresAt: Number(row.expires_at),
    ...(row.index_key !== null && { indexKey: row.index_key }),
    ...(row.consumed_at !== null && { consumedAt: Number(row.consumed_at) }),
  };
}

/**
 * The condition for an artifact that can be found. Each read checks whether the index was ended. A check at the write
 * alone would miss a `put` that runs at the same time as `endIndex`.
 */
const findable = `live_until > :now and not exists (
  select from oidc_ended_indexes as ended
  where ended.kind = oidc_artifacts.kind and ended.index_key = oidc_artifacts.index_key and ended.until > :now)`;

const insertArtifact = `insert into oidc_artifacts (kind, key, payload, index_key, expires_at)
  values (:kind, :key, :payload, :indexKey, :expiresAt)
  on conflict (kind, key) do update set
    payload = excluded.payload, index_key = excluded.index_key, expires_at = excluded.expires_at,
    put_order = excluded.put_order`;

export class PostgresOidcStore implements OidcStore {
  readonly #db: Sql;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Sql; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  async put(kind: ArtifactKind, key: string, artifact: Artifact): Promise<void> {
    // An expired row may not have been deleted yet. Its consumption must not apply to the new artifact.
    await affected(
      this.#db,
      `${insertArtifact},
         consumed_at = case when oidc_artifacts.live_until > :now then oidc_artifacts.consumed_at end,
         keep_until = case when oidc_artifacts.live_until > :now then oidc_artifacts.keep_until end`,
      this.#bindings(kind, key, artifact),
    );
  }

  async putIfAbsent(kind: ArtifactKind, key: string, artifact: Artifact): Promise<boolean> {
    const written = await affected(
      this.#db,
      `${insertArtifact}, consumed_at = null, keep_until = null where oidc_artifacts.live_until <= :now`,
      this.#bindings(kind, key, artifact),
    );
    return written === 1;
  }

  async find(kind: ArtifactKind, key: string): Promise<StoredArtifact | undefined> {
    if (!storable(key)) return undefined;
    const [row] = await rows<ArtifactRow>(
      this.#db,
      `select * from oidc_artifacts where kind = :kind and key = :key and ${findable}`,
      { kind, key, now: this.#clock.now() },
    );
    return row && toArtifact(row);
  }

  async findByIndex(kind: ArtifactKind, indexKey: string): Promise<StoredArtifact | undefined> {
    if (!storable(indexKey)) return undefined;
    const [row] = await rows<ArtifactRow>(
      this.#db,
      `select * from oidc_artifacts where kind = :kind and index_key = :indexKey and ${findable}
       order by put_order desc limit 1`,
      { kind, indexKey, now: this.#clock.now() },
    );
    return row && toArtifact(row);
  }

  async consume(kind: ArtifactKind, key: string, at: number, keepUntil: number): Promise<ConsumeOutcome> {
    if (!storable(key)) return { outcome: 'missing' };
    const won = await affected(
      this.#db,
      `update oidc_artifacts set consumed_at = :at, keep_until = :keepUntil
       where kind = :kind and key = :key and consumed_at is null and ${findable}`,
      { kind, key, at, keepUntil, now: this.#clock.now() },
    );
    if (won === 1) return { outcome: 'won' };
    const consumedAt = (await this.find(kind, key))?.consumedAt;
    return consumedAt === undefined ? { outcome: 'missing' } : { outcome: 'lost', consumedAt };
  }

  async destroy(kind: ArtifactKind, key: string): Promise<void> {
    if (!storable(key)) return;
    await affected(this.#db, 'delete from oidc_artifacts where kind = :kind and key = :key', { kind, key });
  }

  async endIndex(kind: ArtifactKind, indexKey: string, until: number): Promise<void> {
    if (!storable(indexKey)) return;
    await affected(
      this.#db,
      `insert into oidc_ended_indexes (kind, index_key, until) values (:kind, :indexKey, :until)
       on conflict (kind, index_key) do update set until = greatest(oidc_ended_indexes.until, excluded.until)`,
      { kind, indexKey, until },
    );
  }

  #bindings(kind: ArtifactKind, key: string, artifact: Artifact): Record<string, Binding> {
    return {
      kind,
      key,
      payload: artifact.payload,
      indexKey: artifact.indexKey ?? null,
      expiresAt: artifact.expiresAt,
      now: this.#clock.now(),
    };
  }
}
