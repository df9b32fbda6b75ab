import type { Clock } from '../../provider/lib/clock.ts';
import type { Family, FamilyStore, Rotation, StoredFamily } from '../../provider/ports/family-store.ts';
import type { RedisConnection, RedisScript } from './connection.ts';
import { endScript, findScript, openScript, rotateScript } from './family-scripts.ts';

/**
 * Families in Redis. Each family has one Redis hash and, for a short time, a second one with its stored response. Each
 * call is one script.
 */
export class RedisFamilyStore implements FamilyStore {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #open: RedisScript;
  readonly #find: RedisScript;
  readonly #rotate: RedisScript;
  readonly #end: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#open = redis.script('gatehouseOpenFamily', openScript);
    this.#find = redis.script('gatehouseFindFamily', findScript);
    this.#rotate = redis.script('gatehouseRotateFamily', rotateScript);
    this.#end = redis.script('gatehouseEndFamily', endScript);
  }

  async open(family: Family): Promise<boolean> {
    const { id, accountId, clientId, currentHash, payload, expiresAt, sid } = family;
    const known = sid === undefined ? [] : [sid];
    const args = [this.#clock.now(), accountId, clientId, currentHash, payload, expiresAt, ...known];
    return (await this.#open(this.#keys(id), args)) === 1;
  }

  async find(id: string): Promise<StoredFamily | undefined> {
    const found = (await this.#find(this.#keys(id), [this.#clock.now()])) as (string | null)[];
    const [accountId, clientId, currentHash, payload, expiresAt, sid, storedResponse] = found;
    if (!accountId || !clientId || !currentHash || typeof payload !== 'string') return undefined;
    const fields = { id, accountId, clientId, currentHash, payload, expiresAt: Number(expiresAt) };
    const family = typeof sid === 'string' ? { ...fields, sid } : fields;
    return typeof storedResponse === 'string' ? { ...family, storedResponse } : family;
  }

  async rotate(
    familyId: string,
    from: string,
    { hash, payload, expiresAt, storedResponse }: Rotation,
  ): Promise<boolean> {
    const kept = storedResponse ? [storedResponse.sealed, storedResponse.until] : [];
    const args = [this.#clock.now(), from, hash, payload, expiresAt, ...kept];
    return (await this.#rotate(this.#keys(familyId), args)) === 1;
  }

  async end(familyId: string, until: number): Promise<void> {
    await this.#end(this.#keys(familyId), [this.#clock.now(), until]);
  }

  #keys(familyId: string): string[] {
    return [this.#redis.key(familyId, 'f'), this.#redis.key(familyId, 'fa')];
  }
}
