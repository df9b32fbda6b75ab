import type { Clock } from '../../lib/clock.ts';
import { randomToken } from '../../lib/ids.ts';
import type { DenylistCopy, RevocationEntry, RevocationKey } from '../../ports/denylist.ts';
import type { RedisConnection, RedisScript } from './connection.ts';
import { declareWholeScript, putScript } from './denylist-scripts.ts';

/** How long copying everything may take. */
const copyingMs = 300_000;

/** The denylist's copy in Redis: one command for one question. */
export class RedisDenylistCopy implements DenylistCopy {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #put: RedisScript;
  readonly #declareWhole: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#put = redis.script('gatehousePutRevocations', putScript);
    this.#declareWhole = redis.script('gatehouseDeclareWhole', declareWholeScript);
  }

  async anyRevoked(keys: RevocationKey[]): Promise<boolean | undefined> {
    const names = [this.#key('w'), ...keys.map((key) => this.#entry(key))];
    const [whole, ...found] = await this.#redis.run((client) => client.mget(names));
    if (whole === null || whole === undefined) return undefined;
    return found.some((until) => until !== null && Number(until) > this.#clock.now());
  }

  async put(entries: readonly RevocationEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#put(
      entries.map(({ key }) => this.#entry(key)),
      entries.map(({ expiresAt }) => expiresAt),
    );
  }

  async begin(): Promise<string> {
    const begun = randomToken(16);
    await this.#redis.run((client) => client.set(this.#key(`b:${begun}`), '1', 'PX', copyingMs));
    return begun;
  }

  async declareWhole(begun: string): Promise<boolean> {
    return (await this.#declareWhole([this.#key('w'), this.#key(`b:${begun}`)], [])) === 1;
  }

  #entry(key: RevocationKey): string {
    return this.#key(`r:${key}`);
  }

  #key(part: string): string {
    return this.#redis.key('denylist', part);
  }
}
