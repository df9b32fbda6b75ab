import type { GatehouseEvent } from '@gatehouse/verify/events';
import type { Pool } from 'pg';
import { type ReceivedEvent, readEvent } from './read-event.ts';
import { inTransaction, type Transaction } from './transaction.ts';

export interface OnceInOrderOptions {
  pool: Pool;
  /** The effect of an event. It throws to have the event tried again. */
  apply(transaction: Transaction, event: GatehouseEvent): Promise<void>;
  /** How long an event waits for earlier ones that are missing, in seconds. The default is 30. */
  gapSeconds?: number;
  /** How often a waiting event is tried before it is handed to `giveUp`. The default is 5. */
  tries?: number;
  /** The time between two of these tries, in seconds. The default is 10. */
  retrySeconds?: number;
  /** Gets a message that failed each time. It must keep the message, for example in a dead-letter queue. */
  giveUp(body: string): Promise<void>;
  log(message: string, facts: Record<string, unknown>): void;
}

/** What became of an event. After each of them, the message can leave the queue. */
export type Taken = 'processed' | 'late' | 'repeat' | 'waiting';

/** Processes each event once, and the events of a subject in the order of their `sequence`. */
export interface OnceInOrder {
  /** Takes an event from the queue. If it throws, nothing was saved, and the message must stay in the queue. */
  take(event: ReceivedEvent): Promise<Taken>;
  /** Processes the events that waited long enough for missing ones. Call it regularly, also when no message comes. */
  endWaits(): Promise<void>;
  /** Forgets the ids of events after 60 days. SQS keeps a message for 14 days at most, and a dead-letter queue too. */
  forget(): Promise<void>;
}

export function createOnceInOrder(options: OnceInOrderOptions): OnceInOrder {
  const { pool, apply, log, giveUp, gapSeconds = 30, tries = 5, retrySeconds = 10 } = options;

  const take = async (event: ReceivedEvent): Promise<Taken> => {
    const taken = await inTransaction(pool, async (transaction): Promise<Taken> => {
      const last = await lockSubject(transaction, event.subject);
      if (!(await isNew(transaction, event.id))) return 'repeat';
      if (event.sequence > last + 1) {
        await wait(transaction, event);
        return 'waiting';
      }
      if (event.event) await apply(transaction, event.event);
      if (event.sequence <= last) return 'late';
      await setLast(transaction, event);
      return 'processed';
    });
    if (taken === 'late') log('an event came after later ones', factsOf(event));
    if (taken !== 'late') await release(event.subject);
    return taken;
  };

  /** Processes the waiting events of a subject, each in a transaction of its own, up to the next gap. */
  async function release(subject: string): Promise<void> {
    for (;;) {
      const tried: { event?: ReceivedEvent } = {};
      try {
        const isDone = await inTransaction(pool, async (transaction) => {
          const last = await lockSubject(transaction, subject);
          const lowest = await lowestWaiting(transaction, subject);
          if (lowest === undefined || lowest.rests) return true;
          const { event, waited } = lowest;
          const isNext = event.sequence === last + 1;
          if (!isNext && !waited) return true;
          tried.event = event;
          if (event.event) await apply(transaction, event.event);
          await setLast(transaction, event);
          await endWait(transaction, event);
          if (!isNext) log('went on without events that are missing', { ...factsOf(event), last });
          return false;
        });
        if (isDone) return;
      } catch (error) {
        if (tried.event === undefined) throw error;
        if (!(await isGivenUp(tried.event, error))) return;
      }
    }
  }

  /** Counts a failure of a waiting event. After the last try, it no longer blocks the later ones. */
  async function isGivenUp(event: ReceivedEvent, error: unknown): Promise<boolean> {
    const { rows } = await pool.query(
      `UPDATE waiting_events SET failures = failures + 1, failed_at = now()
       WHERE subject = $1 AND sequence = $2 RETURNING failures`,
      [event.subject, event.sequence],
    );
    log('the effect of a waiting event failed', { ...factsOf(event), error: String(error) });
    if (Number(rows[0]?.failures) < tries) return false;
    // First the copy, then the row. If the process ends in between, the copy is made twice, and not lost.
    await giveUp(event.body);
    await inTransaction(pool, async (transaction) => {
      await lockSubject(transaction, event.subject);
      await setLast(transaction, event);
      await endWait(transaction, event);
      // The event was not processed. When it comes back from the dead-letter queue, it is no repeat.
      await transaction.query('DELETE FROM taken_events WHERE id = $1', [event.id]);
    });
    return true;
  }

  /**
   * The waiting event with the lowest sequence. `waited`: one event of the subject waited long enough. `rests`: the last
   * try failed a moment ago.
   */
  async function lowestWaiting(
    transaction: Transaction,
    subject: string,
  ): Promise<{ event: ReceivedEvent; waited: boolean; rests: boolean } | undefined> {
    const { rows } = await transaction.query(
      `SELECT body, min(since) OVER () <= now() - make_interval(secs => $2) AS waited,
         coalesce(failed_at > now() - make_interval(secs => $3), false) AS rests
       FROM waiting_events WHERE subject = $1 ORDER BY sequence LIMIT 1`,
      [subject, gapSeconds, retrySeconds],
    );
    const [row] = rows;
    return row && { event: readEvent(row.body), waited: row.waited, rests: row.rests };
  }

  return {
    take,
    endWaits: async () => {
      const { rows } = await pool.query(
        `SELECT subject FROM waiting_events GROUP BY subject
         HAVING min(since) <= now() - make_interval(secs => $1) OR max(failures) > 0`,
        [gapSeconds],
      );
      for (const { subject } of rows) await release(subject);
    },
    forget: async () => {
      await pool.query("DELETE FROM taken_events WHERE taken_at < now() - interval '60 days'");
    },
  };
}

/** Gives the highest sequence that was processed. Other consumers wait here until this transaction ends. */
async function lockSubject(transaction: Transaction, subject: string): Promise<number> {
  await transaction.query('INSERT INTO event_subjects (subject) VALUES ($1) ON CONFLICT DO NOTHING', [
    subject,
  ]);
  const { rows } = await transaction.query(
    'SELECT sequence FROM event_subjects WHERE subject = $1 FOR UPDATE',
    [subject],
  );
  return Number(rows[0]?.sequence);
}

async function isNew(transaction: Transaction, id: string): Promise<boolean> {
  const { rowCount } = await transaction.query(
    'INSERT INTO taken_events (id) VALUES ($1) ON CONFLICT DO NOTHING',
    [id],
  );
  return rowCount === 1;
}

async function setLast(transaction: Transaction, { subject, sequence }: ReceivedEvent): Promise<void> {
  await transaction.query('UPDATE event_subjects SET sequence = greatest(sequence, $2) WHERE subject = $1', [
    subject,
    sequence,
  ]);
}

async function wait(transaction: Transaction, event: ReceivedEvent): Promise<void> {
  await transaction.query('INSERT INTO waiting_events (subject, sequence, body) VALUES ($1, $2, $3)', [
    event.subject,
    event.sequence,
    event.body,
  ]);
}

async function endWait(transaction: Transaction, { subject, sequence }: ReceivedEvent): Promise<void> {
  await transaction.query('DELETE FROM waiting_events WHERE subject = $1 AND sequence = $2', [
    subject,
    sequence,
  ]);
}

const factsOf = ({ id, type, subject, sequence }: ReceivedEvent) => ({ id, type, subject, sequence });
