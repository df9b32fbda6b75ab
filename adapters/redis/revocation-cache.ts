import type { Clock } from '../../provider/lib/clock.ts';
import { randomToken } from '../../provider/lib/ids.ts';
import type { RevocationCache } from '../../provider/ports/revocation-cache.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { RevocationEntry } from '../../provider/ports/revocation-store.ts';
import type { RedisConnection, RedisScript } from './connection.ts';
import { declareWholeScript, putScript } from './denylist-scripts.ts';

/** The longest time in which all entries must be copied. */
const copyingMs = 300_000;

const whole = 'w';
const entry = (key: RevocationKey) => `r:${key}`;
const making = (begun: string) => `b:${begun}`;

/** The copy of the denylist in Redis. Each question is one command. */
export class RedisRevocationCache implements RevocationCache {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #set: string;
  readonly #put: RedisScript;
  readonly #declareComplete: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#set = redis.key('denylist', 'entries');
    this.#put = redis.script('gatehousePutRevocations', putScript);
    this.#declareComplete = redis.script('gatehouseDeclareWhole', declareWholeScript);
  }

  /**
   * The clock of this process decides whether an entry has expired, because the same clock decides whether the token
   * has expired. A process whose clock is behind accepts a token for longer, and applies its entry for longer too,
   * until Redis removes the entry. So this clock may be behind by the time that `putScript` waits.
   */
  async anyRevoked(keys: RevocationKey[]): Promise<boolean | undefined> {
    const members = [whole, ...keys.map(entry)];
    const [isWhole, ...found] = await this.#redis.run((client) => client.zmscore(this.#set, members));
    if (isWhole === null || isWhole === undefined) return undefined;
    return found.some((until) => until !== null && Number(until) > this.#clock.now());
  }

  async put(entries: readonly RevocationEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#put(
      [this.#set],
      entries.flatMap(({ key, expiresAt }) => [expiresAt, entry(key)]),
    );
  }

  async begin(): Promise<string> {
    const begun = randomToken(16);
    const until = this.#clock.now() + copyingMs;
    await this.#redis.run((client) => client.zadd(this.#set, until, making(begun)));
    return begun;
  }

  async declareComplete(begun: string): Promise<boolean> {
    return (await this.#declareComplete([this.#set], [making(begun), whole])) === 1;
  }
}
