import type { Leases } from '../../provider/ports/leases.ts';
import { affected, type Sql } from './sql.ts';

/** One row for each lease. */
export class PostgresLeases implements Leases {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async hold(name: string, holder: string, leaseMs: number): Promise<boolean> {
    const written = await affected(
      this.#db,
      `insert into leases (name, holder, expires_at)
       values (:name, :holder, clock_timestamp() + :leaseMs * interval '1 millisecond')
       on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
       where leases.holder = excluded.holder or leases.expires_at <= clock_timestamp()`,
      { name, holder, leaseMs },
    );
    return written === 1;
  }

  async release(name: string, holder: string): Promise<void> {
    await affected(this.#db, 'delete from leases where name = :name and holder = :holder', { name, holder });
  }
}

/** For an embedded database: only this process can use it. */
export const soleHolder: Leases = { hold: async () => true, release: async () => {} };
