import type { ClaimedEvent, Outbox, OutboxEvent } from '../../provider/ports/outbox.ts';
import { affected, rows, type Sql } from './sql.ts';

interface OutboxRow {
  position: string;
  id: string;
  type: string;
  version: number;
  time: string;
  subject: string;
  data: Record<string, unknown>;
  attempts: number;
}

function toClaimed(row: OutboxRow): ClaimedEvent {
  return {
    id: row.id,
    type: row.type,
    version: row.version,
    time: Number(row.time),
    subject: row.subject,
    data: row.data,
    // The claim itself was counted, so that an event which kills its process is seen to have been tried.
    attempts: row.attempts - 1,
  };
}

/**
 * A lease is nothing but a later `due_at`: it lapses by itself. 'Oldest' is by position, which is given when
 * a row is written; transactions of one subject that overlap have no order to keep.
 */
export class PostgresOutbox implements Outbox {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async append(event: OutboxEvent): Promise<void> {
    await affected(
      this.#db,
      `insert into outbox (id, type, version, time, subject, data)
       values (:id, :type, :version, :time, :subject, :data)
       on conflict (id) do nothing`,
      { ...event, data: JSON.stringify(event.data) },
    );
  }

  async claim(limit: number, now: number, leaseMs: number): Promise<ClaimedEvent[]> {
    // Materialized: a plan that ran the inner select more than once would claim more than `limit`.
    const claimed = await rows<OutboxRow>(
      this.#db,
      `with due as materialized (
         select position from outbox as candidate
         where published_at is null and not set_aside and due_at <= :now
           and not exists (
             select from outbox as older
             where older.subject = candidate.subject and older.position < candidate.position
               and older.published_at is null and not older.set_aside)
         order by position limit :limit
         for update skip locked
       )
       update outbox set due_at = :leasedUntil, attempts = attempts + 1
       from due where outbox.position = due.position
       returning outbox.*`,
      { limit, now, leasedUntil: now + leaseMs },
    );
    return claimed.sort((a, b) => Number(a.position) - Number(b.position)).map(toClaimed);
  }

  async markPublished(ids: string[], at: number): Promise<void> {
    await affected(
      this.#db,
      `update outbox set published_at = :at, set_aside = false
       where id = any(:ids::text[]) and published_at is null`,
      { ids, at },
    );
  }

  async markFailed(id: string, reason: string, retryAt: number | undefined): Promise<void> {
    await affected(
      this.#db,
      `update outbox set reason = :reason,
         due_at = coalesce(:retryAt, due_at),
         set_aside = :retryAt::bigint is null
       where id = :id and published_at is null and not set_aside`,
      { id, reason: reason.replaceAll('\0', ''), retryAt: retryAt ?? null },
    );
  }

  async depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }> {
    const [row] = await rows<{ pending: string; oldest: string | null; set_aside: string }>(
      this.#db,
      `select count(*) filter (where not set_aside) as pending,
         min(time) filter (where not set_aside) as oldest,
         count(*) filter (where set_aside) as set_aside
       from outbox where published_at is null`,
    );
    return {
      pending: Number(row?.pending ?? 0),
      oldest: row?.oldest == null ? undefined : Number(row.oldest),
      setAside: Number(row?.set_aside ?? 0),
    };
  }
}
