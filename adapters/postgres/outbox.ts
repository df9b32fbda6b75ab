import type { Account } from '../../provider/ports/account-store.ts';
import type { ClaimedEvent, Outbox, OutboxEvent, SetAsideEvent } from '../../provider/ports/outbox.ts';
import { keptSignInMs, keptSignIns, type RecentSignIn } from '../../provider/ports/sign-in-history.ts';
import { affected, rows, type Sql } from './sql.ts';

interface OutboxRow {
  position: string;
  id: string;
  type: string;
  version: number;
  time: string;
  subject: string;
  sequence: string;
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
    sequence: Number(row.sequence),
    data: row.data,
    // A claim counts as an attempt when it begins. So an event that kills the process while it is published is counted
    // too.
    attempts: row.attempts - 1,
  };
}

/**
 * Adds the sign-in in the same statement, so it costs no round trip. Rows beyond the newest are deleted here too, without
 * waiting for another sign-in of the account, which may delete them at the same time.
 */
const withSignIn = (insert: string) => `
  with appended as (${insert} returning id), kept as (
    insert into recent_sign_ins (account_id, at, client_id, amr, ip, user_agent, expires_at)
    select :accountId, :at, :clientId, :amr::text[], :ip, :userAgent, :expiresAt from appended
  ), deleted as (
    delete from recent_sign_ins where ctid = any (array(
      select ctid from recent_sign_ins where account_id = :accountId
      order by position desc offset :others limit 100 for update skip locked))
  )
  select from appended`;

const insertEvent = `
  insert into outbox (id, type, version, time, subject, data)
  select :id, :type, :version, :time, :subject, :data`;

const once = 'on conflict (id) do nothing';

const appendEvent = `${insertEvent} ${once}`;

const appendSignIn = withSignIn(appendEvent);

/** One snapshot serves the whole statement, so the event is written exactly if the account is as it was. */
const appendSignInOfUnchanged = withSignIn(`${insertEvent}
  where exists (
    select from accounts
    where accounts.id = :accountId and state = :state and email = :email and roles::text = :roles
      and password_hash is not distinct from :passwordHash and generation = :tokenVersion
      and has_second_factor = :hasSecondFactor and unconfirmed = :isUnconfirmed)
  ${once}`);

const eventBindings = (event: OutboxEvent) => ({ ...event, data: JSON.stringify(event.data) });

const signInBindings = ({ accountId, at, clientId, amr, ip, userAgent }: RecentSignIn) => ({
  accountId,
  at,
  clientId,
  amr: [...amr],
  ip: ip ?? null,
  // A text column can't store NUL.
  userAgent: userAgent?.replaceAll('\0', '') ?? null,
  expiresAt: at + keptSignInMs,
  others: keptSignIns - 1,
});

/**
 * A claim sets `due_at` to a later time, so it expires without another write. The oldest event is the one with the
 * lowest position. A row gets its position when it is written, so overlapping transactions of one subject have no
 * defined order.
 */
export class PostgresOutbox implements Outbox {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async append(event: OutboxEvent, signIn?: RecentSignIn): Promise<void> {
    if (signIn === undefined) await affected(this.#db, appendEvent, eventBindings(event));
    else await affected(this.#db, appendSignIn, { ...eventBindings(event), ...signInBindings(signIn) });
  }

  /** For `UnitOfWork.recordSignIn`. */
  async appendIfUnchanged(account: Account, event: OutboxEvent, signIn: RecentSignIn): Promise<boolean> {
    const appended = await affected(this.#db, appendSignInOfUnchanged, {
      ...eventBindings(event),
      ...signInBindings(signIn),
      accountId: account.id,
      state: account.state,
      email: account.email,
      roles: JSON.stringify(account.roles),
      passwordHash: account.passwordHash ?? null,
      tokenVersion: account.tokenVersion,
      hasSecondFactor: account.hasSecondFactor === true,
      isUnconfirmed: account.isUnconfirmed === true,
    });
    return appended === 1;
  }

  async claim(limit: number, now: number, leaseMs: number): Promise<ClaimedEvent[]> {
    // The number is given here and not in `append`, so a sign-in neither waits for another transaction of its subject
    // nor writes another row. Materialized, because a query plan that runs the inner select more than once would claim more than `limit`
    // events.
    const claimed = await rows<OutboxRow>(
      this.#db,
      `with due as materialized (
         select position, subject, sequence from outbox as candidate
         where published_at is null and not set_aside and due_at <= :now
           and not exists (
             select from outbox as older
             where older.subject = candidate.subject and older.position < candidate.position
               and older.published_at is null and not older.set_aside)
         order by position limit :limit
         for update skip locked
       ), numbered as (
         insert into outbox_sequences as counter (subject, last)
         select subject, 1 from due where sequence is null order by subject
         on conflict (subject) do update set last = counter.last + 1
         returning subject, last
       )
       update outbox
       set due_at = :leasedUntil, attempts = attempts + 1, sequence = coalesce(outbox.sequence, numbered.last)
       from due left join numbered on numbered.subject = due.subject
       where outbox.position = due.position
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

  async setAside(limit: number): Promise<SetAsideEvent[]> {
    const found = await rows<Omit<OutboxRow, 'data'> & { reason: string | null }>(
      this.#db,
      `select id, type, version, time, subject, sequence, attempts, reason
       from outbox where set_aside order by position limit :limit`,
      { limit },
    );
    return found.map(({ id, type, version, time, subject, sequence, attempts, reason }) => ({
      id,
      type,
      version,
      time: Number(time),
      subject,
      // An event that an earlier release set aside has no number.
      sequence: Number(sequence ?? 0),
      attempts,
      reason: reason ?? '',
    }));
  }

  async retry(ids: string[] | undefined): Promise<string[]> {
    const retried = await rows<{ id: string }>(
      this.#db,
      `update outbox set set_aside = false, attempts = 0, due_at = 0
       where set_aside and published_at is null and (:all or id = any(:ids::text[]))
       returning id`,
      { all: ids === undefined, ids: ids ?? [] },
    );
    return retried.map(({ id }) => id);
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
