import type { Clock } from '../../provider/lib/clock.ts';
import {
  type AccountIndex,
  type AccountIndexEntry,
  mostEntriesOfAccount,
} from '../../provider/ports/account-index.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface EntryRow {
  kind: AccountIndexEntry['kind'];
  id: string;
  details: string;
  expires_at: string;
}

function toEntry({ kind, id, details, expires_at }: EntryRow): AccountIndexEntry {
  return { kind, id, details, expiresAt: Number(expires_at) };
}

/** The sign-ins of accounts, with one row per entry. The sweep removes expired rows. */
export class PostgresAccountIndex implements AccountIndex {
  readonly #db: Sql;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Sql; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  async put(accountId: string, { kind, id, details, expiresAt }: AccountIndexEntry): Promise<void> {
    const [row] = await rows<{ before: string }>(
      this.#db,
      `insert into account_index (account_id, id, kind, details, expires_at)
       values (:accountId, :id, :kind, :details, :expiresAt)
       on conflict (account_id, id) do update set
         kind = excluded.kind, details = excluded.details, expires_at = excluded.expires_at
       returning (select count(*) from account_index where account_id = :accountId) as before`,
      { accountId, id, kind, details, expiresAt },
    );
    if (Number(row?.before) >= mostEntriesOfAccount) await this.#dropFirst(accountId);
  }

  async list(accountId: string): Promise<AccountIndexEntry[]> {
    if (!storable(accountId)) return [];
    // The limit is needed here too: after parallel puts there may be a few rows too many until the next put.
    const found = await rows<EntryRow>(
      this.#db,
      `select kind, id, details, expires_at from account_index
       where account_id = :accountId and expires_at > :now
       order by expires_at desc, id desc limit :most`,
      { accountId, now: this.#clock.now(), most: mostEntriesOfAccount },
    );
    return found.map(toEntry);
  }

  async remove(accountId: string, id: string): Promise<void> {
    if (!storable(accountId, id)) return;
    await affected(this.#db, 'delete from account_index where account_id = :accountId and id = :id', {
      accountId,
      id,
    });
  }

  /**
   * This is a separate statement that never waits for a row lock, so two puts can't deadlock. When it locks a row,
   * Postgres checks a row that changed in the meantime again. So a renewed entry stays.
   */
  async #dropFirst(accountId: string): Promise<void> {
    await affected(
      this.#db,
      `with over as materialized (
         select ctid from account_index
         where account_id = :accountId and (expires_at, id) <= (
           select expires_at, id from account_index where account_id = :accountId
           order by expires_at desc, id desc offset :most limit 1)
         for update skip locked
       )
       delete from account_index using over where account_index.ctid = over.ctid`,
      { accountId, most: mostEntriesOfAccount },
    );
  }
}
