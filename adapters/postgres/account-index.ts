import type { Clock } from '../../provider/lib/clock.ts';
import {
  type AccountIndex,
  type AccountIndexEntry,
  type AccountIndexPosition,
  mostEntriesOfAccount,
} from '../../provider/ports/account-index.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface EntryRow {
  kind: AccountIndexEntry['kind'];
  id: string;
  details: string;
  used_at: string;
  expires_at: string;
}

function toEntry({ kind, id, details, used_at, expires_at }: EntryRow): AccountIndexEntry {
  return { kind, id, details, usedAt: Number(used_at), expiresAt: Number(expires_at) };
}

const columns = 'kind, id, details, used_at, expires_at';

/** The sign-ins of accounts, with one row per entry. The sweep removes expired rows. */
export class PostgresAccountIndex implements AccountIndex {
  readonly #db: Sql;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Sql; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  async put(accountId: string, entry: AccountIndexEntry): Promise<void> {
    const [row] = await rows<{ before: string }>(
      this.#db,
      `insert into account_index (account_id, id, kind, details, used_at, expires_at)
       values (:accountId, :id, :kind, :details, :usedAt, :expiresAt)
       on conflict (account_id, id) do update set
         kind = excluded.kind, details = excluded.details, used_at = excluded.used_at,
         expires_at = excluded.expires_at
       returning (select count(*) from account_index where account_id = :accountId) as before`,
      { accountId, ...entry },
    );
    if (Number(row?.before) >= mostEntriesOfAccount) await this.#dropFirst(accountId);
  }

  async list(accountId: string): Promise<AccountIndexEntry[]> {
    if (!storable(accountId)) return [];
    // The limit is needed here too: after parallel puts there may be a few rows too many until the next put.
    const found = await rows<EntryRow>(
      this.#db,
      `select ${columns} from account_index
       where account_id = :accountId and expires_at > :now
       order by expires_at desc, id desc limit :most`,
      { accountId, now: this.#clock.now(), most: mostEntriesOfAccount },
    );
    return found.map(toEntry);
  }

  async page(accountId: string, most: number, after?: AccountIndexPosition): Promise<AccountIndexEntry[]> {
    if (!storable(accountId, after?.id ?? '')) return [];
    const found = await rows<EntryRow>(
      this.#db,
      `select ${columns} from account_index
       where account_id = :accountId and expires_at > :now
       ${after ? 'and (used_at, id) < (:usedAt::bigint, :id)' : ''}
       order by used_at desc, id desc limit :most`,
      { accountId, now: this.#clock.now(), most, ...after },
    );
    return found.map(toEntry);
  }

  async find(accountId: string, id: string): Promise<AccountIndexEntry | undefined> {
    if (!storable(accountId, id)) return undefined;
    const [found] = await rows<EntryRow>(
      this.#db,
      `select ${columns} from account_index
       where account_id = :accountId and id = :id and expires_at > :now`,
      { accountId, id, now: this.#clock.now() },
    );
    return found && toEntry(found);
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
