import type { Clock } from '../../provider/lib/clock.ts';
import {
  type BucketRule,
  intervalMs,
  type Limits,
  type TriesRule,
  type TryVerdict,
} from '../../provider/ports/limits.ts';
import type { RedisConnection, RedisScript } from './connection.ts';
import {
  attemptScript,
  forgiveScript,
  giveBackScript,
  knownForScript,
  takeScript,
  withdrawScript,
} from './limits-scripts.ts';

/** Limits in Redis. Each step is one script on one key, so it is atomic and works on a cluster. */
export class RedisLimits implements Limits {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #take: RedisScript;
  readonly #giveBack: RedisScript;
  readonly #attempt: RedisScript;
  readonly #withdraw: RedisScript;
  readonly #forgive: RedisScript;
  readonly #knownFor: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#take = redis.script('gatehouseTakeFromBucket', takeScript);
    this.#giveBack = redis.script('gatehouseGiveBackToBucket', giveBackScript);
    this.#attempt = redis.script('gatehouseAttempt', attemptScript);
    this.#withdraw = redis.script('gatehouseWithdrawAttempt', withdrawScript);
    this.#forgive = redis.script('gatehouseForgiveAttempts', forgiveScript);
    this.#knownFor = redis.script('gatehouseKnownFor', knownForScript);
  }

  async take(key: string, rule: BucketRule): Promise<number> {
    return Number(await this.#take(this.#keys(key), this.#bucket(rule)));
  }

  async giveBack(key: string, rule: BucketRule): Promise<void> {
    await this.#giveBack(this.#keys(key), this.#bucket(rule));
  }

  async attempt(key: string, rule: TriesRule): Promise<TryVerdict> {
    const { freeTries, firstWaitSeconds, longestWaitSeconds, forgetFreeSeconds, forgetSeconds } = rule;
    const spans = [firstWaitSeconds, longestWaitSeconds, forgetFreeSeconds, forgetSeconds];
    const args = [this.#now(), freeTries, ...spans.map((seconds) => seconds * 1000)];
    const [waitMs, version] = (await this.#attempt(this.#keys(key), args)) as [number, number | null];
    return { waitMs, knownFor: version ?? undefined };
  }

  async withdraw(key: string): Promise<void> {
    await this.#withdraw(this.#keys(key), []);
  }

  async forgive(key: string, version: number | undefined, knownSeconds: number): Promise<void> {
    const knownMs = version === undefined ? 0 : knownSeconds * 1000;
    await this.#forgive(this.#keys(key), [this.#now() + knownMs, knownMs, version ?? 0]);
  }

  async knownFor(key: string): Promise<number | undefined> {
    return ((await this.#knownFor(this.#keys(key), [this.#now()])) as number | null) ?? undefined;
  }

  #now(): number {
    return Math.floor(this.#clock.now());
  }

  #bucket(rule: BucketRule): number[] {
    return [this.#now(), intervalMs(rule), rule.burst];
  }

  #keys(key: string): string[] {
    return [this.#redis.key(key, 'l')];
  }
}
