import type { ClaimedMail, Mail, Mails, SetAsideMail } from '../../provider/ports/mails.ts';
import { type DeliveryTable, depth, markFailed, remove } from './deliveries.ts';
import { affected, rows, type Sql } from './sql.ts';

interface MailRow {
  id: string;
  kind: string;
  account_id: string | null;
  content: string;
  created_at: string;
  expires_at: string;
  attempts: number;
}

const factsOf = (row: Omit<MailRow, 'content'>) => ({
  id: row.id,
  kind: row.kind,
  ...(row.account_id === null ? {} : { accountId: row.account_id }),
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
});

const table: DeliveryTable = { name: 'mails', since: 'created_at' };

export class PostgresMails implements Mails {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async add({ id, kind, accountId, content, createdAt, expiresAt }: Mail): Promise<void> {
    await affected(
      this.#db,
      `insert into mails (id, kind, account_id, content, created_at, expires_at)
       values (:id, :kind, :accountId, :content, :createdAt, :expiresAt)`,
      { id, kind, accountId: accountId ?? null, content, createdAt, expiresAt },
    );
  }

  async claim(limit: number, now: number, leaseMs: number): Promise<ClaimedMail[]> {
    // A claim counts as a try when it begins. So a mail that kills the process while it is sent is counted too.
    const claimed = await rows<MailRow & { reason: string | null }>(
      this.#db,
      `with due as materialized (
         select id from mails where not set_aside and due_at <= :now
         order by due_at, created_at limit :limit for update skip locked
       )
       update mails set due_at = :leasedUntil, attempts = attempts + 1
       from due where mails.id = due.id returning mails.*`,
      { limit, now, leasedUntil: now + leaseMs },
    );
    return claimed.map(({ content, attempts, reason, ...row }) => ({
      ...factsOf({ ...row, attempts }),
      content,
      attempts: attempts - 1,
      ...(reason === null ? {} : { reason }),
    }));
  }

  remove(id: string): Promise<boolean> {
    return remove(this.#db, table, id);
  }

  async postpone(id: string, dueAt: number): Promise<void> {
    await affected(
      this.#db,
      'update mails set due_at = :dueAt, attempts = greatest(attempts - 1, 0) where id = :id and not set_aside',
      { id, dueAt },
    );
  }

  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<boolean> {
    return markFailed(this.#db, table, id, reason, retryAt);
  }

  async setAside(limit: number): Promise<SetAsideMail[]> {
    const found = await rows<MailRow & { reason: string | null }>(
      this.#db,
      'select * from mails where set_aside order by created_at, id limit :limit',
      { limit },
    );
    return found.map((row) => ({ ...factsOf(row), attempts: row.attempts, reason: row.reason ?? '' }));
  }

  async retry(ids: string[] | undefined, now: number): Promise<string[]> {
    const retried = await rows<{ id: string }>(
      this.#db,
      `update mails set set_aside = false, attempts = 0, due_at = 0
       where set_aside and expires_at > :now and (:all or id = any(:ids::text[])) returning id`,
      { all: ids === undefined, ids: ids ?? [], now },
    );
    return retried.map(({ id }) => id);
  }

  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }> {
    return depth(this.#db, table);
  }
}
