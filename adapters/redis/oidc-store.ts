import type { Clock } from '../../provider/lib/clock.ts';
import type {
  Artifact,
  ArtifactKind,
  ConsumeOutcome,
  OidcStore,
  StoredArtifact,
} from '../../provider/ports/oidc-store.ts';
import type { RedisConnection, RedisScript } from './connection.ts';
import { consumeScript, endIndexScript, pointScript, putIfAbsentScript, putScript } from './oidc-scripts.ts';

/**
 * Artifacts in Redis. An artifact and the entry of its index are in different slots, so no script can read both.
 * `endIndex` therefore writes a mark into the entry of the index. Every read of an artifact with that index checks the
 * mark afterwards.
 */
export class RedisOidcStore implements OidcStore {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #put: RedisScript;
  readonly #putIfAbsent: RedisScript;
  readonly #consume: RedisScript;
  readonly #point: RedisScript;
  readonly #endIndex: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#put = redis.script('gatehousePutArtifact', putScript);
    this.#putIfAbsent = redis.script('gatehousePutArtifactIfAbsent', putIfAbsentScript);
    this.#consume = redis.script('gatehouseConsumeArtifact', consumeScript);
    this.#point = redis.script('gatehousePointIndex', pointScript);
    this.#endIndex = redis.script('gatehouseEndIndex', endIndexScript);
  }

  async put(kind: ArtifactKind, key: string, artifact: Artifact): Promise<void> {
    await this.#put([this.#artifactKey(kind, key)], this.#written(artifact));
    await this.#pointTo(kind, key, artifact);
  }

  async putIfAbsent(kind: ArtifactKind, key: string, artifact: Artifact): Promise<boolean> {
    const written = await this.#putIfAbsent([this.#artifactKey(kind, key)], this.#written(artifact));
    if (written === 1) await this.#pointTo(kind, key, artifact);
    return written === 1;
  }

  async find(kind: ArtifactKind, key: string): Promise<StoredArtifact | undefined> {
    const found = await this.#read(kind, key);
    if (found?.indexKey !== undefined && (await this.#isEnded(kind, found.indexKey))) return undefined;
    return found;
  }

  async findByIndex(kind: ArtifactKind, indexKey: string): Promise<StoredArtifact | undefined> {
    const entry = this.#indexKey(kind, indexKey);
    const [key, endedUntil] = await this.#redis.run((client) => client.hmget(entry, 'a', 't'));
    if (!key || this.#isAhead(endedUntil)) return undefined;
    const found = await this.#read(kind, key);
    // The artifact may have got another index key in the meantime.
    return found?.indexKey === indexKey ? found : undefined;
  }

  async consume(kind: ArtifactKind, key: string, at: number, keepUntil: number): Promise<ConsumeOutcome> {
    for (let checkedIndex = ''; ; ) {
      const args = [this.#clock.now(), at, keepUntil, checkedIndex];
      const reply = await this.#consume([this.#artifactKey(kind, key)], args);
      const [outcome, detail] = reply as [string, string?];
      if (outcome === 'won') return { outcome };
      if (outcome === 'lost') return { outcome, consumedAt: Number(detail) };
      if (outcome !== 'indexed' || detail === undefined) return { outcome: 'missing' };
      if (await this.#isEnded(kind, detail)) return { outcome: 'missing' };
      checkedIndex = detail;
    }
  }

  async destroy(kind: ArtifactKind, key: string): Promise<void> {
    await this.#redis.run((client) => client.del(this.#artifactKey(kind, key)));
  }

  async endIndex(kind: ArtifactKind, indexKey: string, until: number): Promise<void> {
    await this.#endIndex([this.#indexKey(kind, indexKey)], [until]);
  }

  async #read(kind: ArtifactKind, key: string): Promise<StoredArtifact | undefined> {
    const name = this.#artifactKey(kind, key);
    const [payload, expiresAt, keptUntil, indexKey, consumedAt] = await this.#redis.run((client) =>
      client.hmget(name, 'p', 'e', 'k', 'i', 'c'),
    );
    if (typeof payload !== 'string') return undefined;
    if (!this.#isAhead(expiresAt) && !this.#isAhead(keptUntil)) return undefined;
    return {
      key,
      payload,
      expiresAt: Number(expiresAt),
      ...(indexKey ? { indexKey } : {}),
      ...(consumedAt ? { consumedAt: Number(consumedAt) } : {}),
    };
  }

  async #pointTo(kind: ArtifactKind, key: string, { indexKey, expiresAt }: Artifact): Promise<void> {
    if (indexKey !== undefined) await this.#point([this.#indexKey(kind, indexKey)], [key, expiresAt]);
  }

  async #isEnded(kind: ArtifactKind, indexKey: string): Promise<boolean> {
    const entry = this.#indexKey(kind, indexKey);
    return this.#isAhead(await this.#redis.run((client) => client.hget(entry, 't')));
  }

  #isAhead(time: string | null | undefined): boolean {
    return typeof time === 'string' && Number(time) > this.#clock.now();
  }

  #written(artifact: Artifact): (string | number)[] {
    return [this.#clock.now(), artifact.payload, artifact.expiresAt, artifact.indexKey ?? ''];
  }

  #artifactKey(kind: ArtifactKind, key: string): string {
    return this.#redis.key(`${kind}:${key}`, 'a');
  }

  #indexKey(kind: ArtifactKind, indexKey: string): string {
    return this.#redis.key(`${kind}#${indexKey}`, 'i');
  }
}
