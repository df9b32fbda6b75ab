import type { Clock } from '../../provider/lib/clock.ts';
import {
  type BucketRule,
  forgetAfterMs,
  intervalMs,
  type Limits,
  type TriesRule,
  type TryVerdict,
} from '../../provider/ports/limits.ts';
import { affected, rows, type Sql } from './sql.ts';

/**
 * Limits in Postgres, for installations without Redis. There is one row per key. Each step is one statement, and the
 * row's lock makes steps wait for each other.
 */
export class PostgresLimits implements Limits {
  readonly #db: Sql;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Sql; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  async take(key: string, rule: BucketRule): Promise<number> {
    // `at` is the time at which the bucket is full again.
    const [row] = await rows<{ wait_ms: string }>(
      this.#db,
      `insert into limits as l (key, at, wait_ms, expires_at)
       values (:key, :now::bigint + :interval::bigint, 0, :now::bigint + :interval::bigint)
       on conflict (key) do update set (at, expires_at, wait_ms) = (
         select
           case when wait > 0 then full_at else full_at + :interval::bigint end,
           case when wait > 0 then full_at else full_at + :interval::bigint end,
           wait
         from (
           select least(greatest(l.at, :now::bigint), :now::bigint + :whole::bigint) as full_at
         ) as asked
         cross join lateral (
           select greatest(0, full_at + :interval::bigint - :now::bigint - :whole::bigint) as wait
         ) as decided
       )
       returning wait_ms`,
      { key, ...this.#bucket(rule) },
    );
    return Number(row?.wait_ms);
  }

  async giveBack(key: string, rule: BucketRule): Promise<void> {
    await affected(
      this.#db,
      `update limits
       set at = least(greatest(at, :now::bigint), :now::bigint + :whole::bigint) - :interval::bigint
       where key = :key`,
      { key, ...this.#bucket(rule) },
    );
  }

  async attempt(key: string, rule: TriesRule): Promise<TryVerdict> {
    const [row] = await rows<{ wait_ms: string; known_for: number | null }>(
      this.#db,
      `insert into limits as l (key, at, tries, wait_ms, expires_at)
       values (:key, :now, 1, 0, :now::bigint + :forgetFirst::bigint)
       on conflict (key) do update set (at, tries, expires_at, wait_ms) = (
         select
           case when wait > 0 then last else :now::bigint end,
           case when wait > 0 then l.tries else before.tries + 1 end,
           case when wait > 0 then l.expires_at else greatest(l.known_until, :now::bigint +
             case when before.tries + 1 < :free::int then :forgetFree::bigint else :forget::bigint end) end,
           wait
         from (
           select
             least(l.at, :now::bigint) as last,
             case when :now::bigint - least(l.at, :now::bigint) >=
               case when l.tries < :free::int then :forgetFree::bigint else :forget::bigint end
             then 0 else l.tries end as tries
         ) as before
         cross join lateral (
           select case when before.tries = 0 or before.tries < :free::int then 0 else greatest(0, last - :now::bigint +
             least(:longest::bigint, (:first::bigint * power(2, least(before.tries - :free::int, 30)))::bigint)) end as wait
         ) as decided
       )
       returning wait_ms, case when known_until > :now::bigint then known_for end as known_for`,
      {
        key,
        now: this.#now(),
        free: rule.freeTries,
        first: rule.firstWaitSeconds * 1000,
        longest: rule.longestWaitSeconds * 1000,
        forgetFirst: forgetAfterMs(1, rule),
        forgetFree: rule.forgetFreeSeconds * 1000,
        forget: rule.forgetSeconds * 1000,
      },
    );
    return { waitMs: Number(row?.wait_ms), knownFor: row?.known_for ?? undefined };
  }

  async withdraw(key: string): Promise<void> {
    await affected(
      this.#db,
      `update limits set
         tries = tries - 1,
         expires_at = case when tries = 1 and known_until = 0 then :now else expires_at end
       where key = :key and tries > 0`,
      { key, now: this.#now() },
    );
  }

  async forgive(key: string, version: number | undefined, knownSeconds: number): Promise<void> {
    await affected(
      this.#db,
      `insert into limits (key, at, wait_ms, known_until, known_for, expires_at)
       values (:key, 0, 0, :until, :version, :until)
       on conflict (key) do update set at = 0, tries = 0,
         known_until = excluded.known_until, known_for = excluded.known_for, expires_at = excluded.expires_at`,
      { key, version: version ?? null, until: this.#now() + knownSeconds * 1000 },
    );
  }

  async knownFor(key: string): Promise<number | undefined> {
    const [found] = await rows<{ known_for: number | null }>(
      this.#db,
      'select known_for from limits where key = :key and known_until > :now::bigint',
      { key, now: this.#now() },
    );
    return found?.known_for ?? undefined;
  }

  #now(): number {
    return Math.floor(this.#clock.now());
  }

  #bucket(rule: BucketRule) {
    const interval = intervalMs(rule);
    return { now: this.#now(), interval, whole: interval * rule.burst };
  }
}
