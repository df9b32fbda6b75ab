import type { Clock } from '../../lib/clock.ts';
import type { Family, FamilyStore, Rotation, StoredFamily } from '../../ports/family-store.ts';
import type { RedisConnection, RedisScript } from './connection.ts';
import { endScript, openScript, rotateScript } from './family-scripts.ts';

/** Families in Redis: one hash each, written by one script at a time. */
export class RedisFamilyStore implements FamilyStore {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #open: RedisScript;
  readonly #rotate: RedisScript;
  readonly #end: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#open = redis.script('gatehouseOpenFamily', openScript);
    this.#rotate = redis.script('gatehouseRotateFamily', rotateScript);
    this.#end = redis.script('gatehouseEndFamily', endScript);
  }

  async open(family: Family): Promise<boolean> {
    const { id, accountId, clientId, currentHash, payload, expiresAt } = family;
    const args = [this.#clock.now(), accountId, clientId, currentHash, payload, expiresAt];
    return (await this.#open([this.#key(id)], args)) === 1;
  }

  async find(familyId: string): Promise<StoredFamily | undefined> {
    const fields = await this.#redis.run((client) =>
      client.hmget(this.#key(familyId), 'a', 'c', 'h', 'p', 'e', 'ph', 'ps'),
    );
    const [accountId, clientId, currentHash, payload, expiresAt, previousHash, spentAt] = fields.map(
      (field) => field ?? '',
    );
    if (!accountId || !clientId || !currentHash || payload === undefined) return undefined;
    if (Number(expiresAt) <= this.#clock.now()) return undefined;
    return {
      ...{ id: familyId, accountId, clientId, currentHash, payload, expiresAt: Number(expiresAt) },
      ...(previousHash ? { previous: { hash: previousHash, spentAt: Number(spentAt) } } : {}),
    };
  }

  async rotate(familyId: string, from: string, to: Rotation): Promise<boolean> {
    const args = [this.#clock.now(), from, to.hash, to.payload, to.expiresAt, to.at];
    return (await this.#rotate([this.#key(familyId)], args)) === 1;
  }

  async end(familyId: string, until: number): Promise<void> {
    await this.#end([this.#key(familyId)], [this.#clock.now(), until]);
  }

  #key(familyId: string): string {
    return this.#redis.key(familyId, 'f');
  }
}
