import type { ClaimedEvent, Outbox, OutboxEvent, SetAsideEvent } from '../../../provider/ports/outbox.ts';
import { keptSignIns, type RecentSignIn } from '../../../provider/ports/sign-in-history.ts';
import { type Access, MemoryDatabase, type OutboxRow } from './database.ts';

function pending(rows: Map<string, OutboxRow>): OutboxRow[] {
  return [...rows.values()].filter(({ state }) => state === 'pending');
}

/** The oldest pending event of each subject. */
function heads(rows: Map<string, OutboxRow>): OutboxRow[] {
  const bySubject = new Map<string, OutboxRow>();
  for (const row of pending(rows)) {
    if (!bySubject.has(row.event.subject)) bySubject.set(row.event.subject, row);
  }
  return [...bySubject.values()];
}

const lastSequence = (rows: Map<string, OutboxRow>, subject: string) =>
  Math.max(
    0,
    ...[...rows.values()].filter(({ event }) => event.subject === subject).map((row) => row.sequence ?? 0),
  );

/** Keeps the newest sign-ins of each account. */
function keepSignIn(table: Map<string, RecentSignIn>, eventId: string, signIn: RecentSignIn): void {
  table.set(eventId, { ...signIn });
  const own = [...table].filter(([, { accountId }]) => accountId === signIn.accountId);
  for (const [id] of own.slice(0, -keptSignIns)) table.delete(id);
}

/** Stores events in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryOutbox implements Outbox {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  append(event: OutboxEvent, signIn?: RecentSignIn): Promise<void> {
    return this.#database.use(({ outbox, recentSignIns }) => {
      if (outbox.has(event.id)) return;
      if (signIn !== undefined) keepSignIn(recentSignIns, event.id, signIn);
      outbox.set(event.id, { event: structuredClone(event), attempts: 0, dueAt: 0, state: 'pending' });
    });
  }

  claim(limit: number, now: number, leaseMs: number): Promise<ClaimedEvent[]> {
    return this.#database.use(({ outbox }) => {
      const due = heads(outbox).filter(({ dueAt }) => dueAt <= now);
      return due.slice(0, limit).map((row) => {
        // A lease only moves the due time to a later time.
        const sequence = row.sequence ?? lastSequence(outbox, row.event.subject) + 1;
        outbox.set(row.event.id, { ...row, attempts: row.attempts + 1, dueAt: now + leaseMs, sequence });
        return { ...structuredClone(row.event), attempts: row.attempts, sequence };
      });
    });
  }

  markPublished(ids: string[], _at: number): Promise<void> {
    return this.#database.use(({ outbox }) => {
      for (const id of ids) {
        const row = outbox.get(id);
        if (row) outbox.set(id, { ...row, state: 'published' });
      }
    });
  }

  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<void> {
    return this.#database.use(({ outbox }) => {
      const row = outbox.get(id);
      if (row?.state !== 'pending') return;
      outbox.set(
        id,
        retryAt === undefined ? { ...row, reason, state: 'set aside' } : { ...row, reason, dueAt: retryAt },
      );
    });
  }

  setAside(limit: number): Promise<SetAsideEvent[]> {
    return this.#database.use(({ outbox }) => {
      const found = [...outbox.values()].filter(({ state }) => state === 'set aside').slice(0, limit);
      return found.map(({ event: { data: _, ...event }, attempts, sequence = 0, reason = '' }) => ({
        ...event,
        attempts,
        sequence,
        reason: reason.replaceAll('\0', ''),
      }));
    });
  }

  retry(ids: string[] | undefined): Promise<string[]> {
    return this.#database.use(({ outbox }) => {
      const found = [...outbox.values()].filter(
        ({ state, event }) => state === 'set aside' && (ids === undefined || ids.includes(event.id)),
      );
      for (const row of found) outbox.set(row.event.id, { ...row, state: 'pending', attempts: 0, dueAt: 0 });
      return found.map(({ event }) => event.id);
    });
  }

  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }> {
    return this.#database.use(({ outbox }) => {
      const waiting = pending(outbox);
      const times = waiting.map(({ event }) => event.time);
      return {
        pending: waiting.length,
        oldest: times.length > 0 ? Math.min(...times) : undefined,
        setAside: [...outbox.values()].filter(({ state }) => state === 'set aside').length,
      };
    });
  }
}
