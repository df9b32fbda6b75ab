import type { Clock } from '../../../provider/lib/clock.ts';
import type {
  Artifact,
  ArtifactKind,
  ConsumeOutcome,
  OidcStore,
  StoredArtifact,
} from '../../../provider/ports/oidc-store.ts';

interface Row extends StoredArtifact {
  keptUntil: number;
}

const rowKey = (kind: ArtifactKind, key: string) => `${kind}:${key}`;

/** Artifacts in memory. */
export class MemoryOidcStore implements OidcStore {
  readonly #clock: Clock;
  /** In the order of their last put. */
  readonly #rows = new Map<string, Row>();
  readonly #endedIndexes = new Map<string, number>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  async put(kind: ArtifactKind, key: string, artifact: Artifact): Promise<void> {
    this.#write(kind, key, artifact, this.#live(kind, key));
  }

  async putIfAbsent(kind: ArtifactKind, key: string, artifact: Artifact): Promise<boolean> {
    if (this.#live(kind, key)) return false;
    this.#write(kind, key, artifact, undefined);
    return true;
  }

  async find(kind: ArtifactKind, key: string): Promise<StoredArtifact | undefined> {
    const row = this.#findable(kind, key);
    if (!row) return undefined;
    const { keptUntil, ...artifact } = row;
    return artifact;
  }

  async findByIndex(kind: ArtifactKind, indexKey: string): Promise<StoredArtifact | undefined> {
    const indexed = [...this.#rows].filter(
      ([name, row]) =>
        row.indexKey === indexKey && name === rowKey(kind, row.key) && this.#findable(kind, row.key),
    );
    const last = indexed.at(-1);
    return last && this.find(kind, last[1].key);
  }

  async consume(kind: ArtifactKind, key: string, at: number, keepUntil: number): Promise<ConsumeOutcome> {
    const row = this.#findable(kind, key);
    if (!row) return { outcome: 'missing' };
    if (row.consumedAt !== undefined) return { outcome: 'lost', consumedAt: row.consumedAt };
    this.#rows.set(rowKey(kind, key), { ...row, consumedAt: at, keptUntil: keepUntil });
    return { outcome: 'won' };
  }

  async destroy(kind: ArtifactKind, key: string): Promise<void> {
    this.#rows.delete(rowKey(kind, key));
  }

  async endIndex(kind: ArtifactKind, indexKey: string, until: number): Promise<void> {
    const name = rowKey(kind, indexKey);
    this.#endedIndexes.set(name, Math.max(until, this.#endedIndexes.get(name) ?? 0));
  }

  #write(kind: ArtifactKind, key: string, artifact: Artifact, before: Row | undefined): void {
    const { payload, expiresAt, indexKey } = artifact;
    const { consumedAt, keptUntil = 0 } = before ?? {};
    // Delete the key first, because a Map keeps the old position of a key that is set again.
    this.#rows.delete(rowKey(kind, key));
    this.#rows.set(rowKey(kind, key), { key, payload, expiresAt, indexKey, consumedAt, keptUntil });
  }

  #live(kind: ArtifactKind, key: string): Row | undefined {
    const row = this.#rows.get(rowKey(kind, key));
    return row && Math.max(row.expiresAt, row.keptUntil) > this.#clock.now() ? row : undefined;
  }

  #findable(kind: ArtifactKind, key: string): Row | undefined {
    const row = this.#live(kind, key);
    if (row?.indexKey === undefined) return row;
    const endedUntil = this.#endedIndexes.get(rowKey(kind, row.indexKey)) ?? 0;
    return endedUntil > this.#clock.now() ? undefined : row;
  }
}
