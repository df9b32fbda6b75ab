import type { ClaimedLogout, LogoutClaim, Logouts, SetAsideLogout } from '../../provider/ports/logouts.ts';
import { type DeliveryTable, depth, markFailed, remove } from './deliveries.ts';
import { rows, type Sql } from './sql.ts';

interface LogoutRow {
  id: string;
  client_id: string;
  account_id: string;
  sid: string | null;
  ended_at: string;
  attempts: number;
}

const toLogout = (row: LogoutRow) => ({
  id: row.id,
  clientId: row.client_id,
  accountId: row.account_id,
  ...(row.sid === null ? {} : { sid: row.sid }),
  endedAt: Number(row.ended_at),
});

const table: DeliveryTable = { name: 'logouts', since: 'ended_at' };

export class PostgresLogouts implements Logouts {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async claim({ limit, perHost, busyHosts, now, leaseMs }: LogoutClaim): Promise<ClaimedLogout[]> {
    // A claim counts as a try when it begins. So a logout that kills the process while it is sent is counted too.
    const claimed = await rows<
      LogoutRow & { first_tried_at: string; uri: string; host: string; may_be_private: boolean }
    >(
      this.#db,
      `with hosts as materialized (
         select distinct host from logout_receivers as receiver
         where host <> all(:busyHosts::text[]) and exists (
           select from logouts where logouts.client_id = receiver.client_id and not set_aside and due_at <= :now)
       ), due as materialized (
         select one.id from hosts cross join lateral (
           select logouts.id from logouts join logout_receivers as receiver using (client_id)
           where receiver.host = hosts.host and not logouts.set_aside and logouts.due_at <= :now
           order by logouts.due_at, logouts.id limit :perHost
           for update of logouts skip locked) as one
         limit :limit
       )
       update logouts set due_at = :leasedUntil, attempts = attempts + 1, first_tried_at = coalesce(first_tried_at, :now)
       from due, logout_receivers as receiver
       where logouts.id = due.id and receiver.client_id = logouts.client_id
       returning logouts.*, receiver.uri, receiver.host, receiver.may_be_private`,
      { limit, perHost, busyHosts, now, leasedUntil: now + leaseMs },
    );
    return claimed.map((row) => ({
      ...toLogout(row),
      attempts: row.attempts - 1,
      firstTriedAt: Number(row.first_tried_at),
      uri: row.uri,
      host: row.host,
      mayBePrivate: row.may_be_private,
    }));
  }

  markDelivered(id: string): Promise<boolean> {
    return remove(this.#db, table, id);
  }

  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<boolean> {
    return markFailed(this.#db, table, id, reason, retryAt);
  }

  async setAside(limit: number): Promise<SetAsideLogout[]> {
    const found = await rows<LogoutRow & { reason: string | null }>(
      this.#db,
      'select * from logouts where set_aside order by ended_at, id limit :limit',
      { limit },
    );
    return found.map((row) => ({ ...toLogout(row), attempts: row.attempts, reason: row.reason ?? '' }));
  }

  async retry(ids: string[] | undefined): Promise<string[]> {
    const retried = await rows<{ id: string }>(
      this.#db,
      `update logouts set set_aside = false, attempts = 0, first_tried_at = null, due_at = 0
       where set_aside and (:all or id = any(:ids::text[])) returning id`,
      { all: ids === undefined, ids: ids ?? [] },
    );
    return retried.map(({ id }) => id);
  }

  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }> {
    return depth(this.#db, table);
  }
}
