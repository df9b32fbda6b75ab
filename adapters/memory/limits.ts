import type { Clock } from '../../provider/lib/clock.ts';
import {
  type BucketRule,
  forgetAfterMs,
  intervalMs,
  type Limits,
  type TriesRule,
  type TryVerdict,
  waitAfterMs,
} from '../../provider/ports/limits.ts';

interface Tries {
  count: number;
  lastAt: number;
  knownUntil: number;
  knownFor: number | undefined;
}

const untried: Tries = { count: 0, lastAt: 0, knownUntil: 0, knownFor: undefined };

/**
 * A map that keeps its entries in the order of their last change. Above the bound, it removes the entry that changed
 * longest ago.
 */
class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#most) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/**
 * Limits of this process only, in bounded memory. They are used for limits that need no shared count, and as a
 * replacement while a shared store is unavailable.
 */
export class MemoryLimits implements Limits {
  readonly #clock: Clock;
  /** The time at which each bucket is full again. */
  readonly #full: BoundedMap<number>;
  readonly #tries: BoundedMap<Tries>;

  constructor({ clock, most = 50_000 }: { clock: Clock; most?: number }) {
    this.#clock = clock;
    this.#full = new BoundedMap(most);
    this.#tries = new BoundedMap(most);
  }

  /** The number of entries. */
  get size(): number {
    return this.#full.size + this.#tries.size;
  }

  async take(key: string, rule: BucketRule): Promise<number> {
    const [now, interval] = [this.#clock.now(), intervalMs(rule)];
    const whole = interval * rule.burst;
    const fullAt = this.#fullAt(key, now, whole);
    const waitMs = Math.max(0, fullAt + interval - now - whole);
    this.#full.set(key, waitMs > 0 ? fullAt : fullAt + interval);
    return waitMs;
  }

  async giveBack(key: string, rule: BucketRule): Promise<void> {
    const [now, interval] = [this.#clock.now(), intervalMs(rule)];
    const fullAt = this.#fullAt(key, now, interval * rule.burst) - interval;
    if (fullAt > now) this.#full.set(key, fullAt);
    else this.#full.delete(key);
  }

  async attempt(key: string, rule: TriesRule): Promise<TryVerdict> {
    const now = this.#clock.now();
    const { count, lastAt, ...known } = this.#tries.get(key) ?? untried;
    const last = Math.min(lastAt, now);
    const tries = now - last >= forgetAfterMs(count, rule) ? 0 : count;
    const waitMs = last + waitAfterMs(tries, rule) - now;
    const mayTry = tries === 0 || waitMs <= 0;
    this.#tries.set(key, { count: mayTry ? tries + 1 : tries, lastAt: mayTry ? now : last, ...known });
    return { waitMs: mayTry ? 0 : waitMs, knownFor: await this.knownFor(key) };
  }

  async withdraw(key: string): Promise<void> {
    const tries = this.#tries.get(key);
    if (!tries || tries.count === 0) return;
    if (tries.count === 1 && tries.knownUntil === 0) this.#tries.delete(key);
    else this.#tries.set(key, { ...tries, count: tries.count - 1 });
  }

  async forgive(key: string, version: number | undefined, knownSeconds: number): Promise<void> {
    const knownUntil = this.#clock.now() + knownSeconds * 1000;
    this.#tries.set(key, { count: 0, lastAt: 0, knownUntil, knownFor: version });
  }

  async knownFor(key: string): Promise<number | undefined> {
    const { knownUntil, knownFor } = this.#tries.get(key) ?? untried;
    return knownUntil > this.#clock.now() ? knownFor : undefined;
  }

  /**
   * The time at which the bucket is full again. A later time than an empty bucket can have comes from a wrong clock and
   * counts as an empty bucket.
   */
  #fullAt(key: string, now: number, whole: number): number {
    return Math.min(Math.max(this.#full.get(key) ?? now, now), now + whole);
  }
}
