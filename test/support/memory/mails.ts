import type { ClaimedMail, Mail, Mails, SetAsideMail } from '../../../provider/ports/mails.ts';
import { type Access, type MailRow, MemoryDatabase } from './database.ts';

/** Mails in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryMails implements Mails {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  async add(mail: Mail): Promise<void> {
    const row: MailRow = { mail: { ...mail }, attempts: 0, dueAt: 0, isSetAside: false };
    await this.#database.use(({ mails }) => mails.set(mail.id, row));
  }

  claim(limit: number, now: number, leaseMs: number): Promise<ClaimedMail[]> {
    return this.#database.use(({ mails }) => {
      const due = [...mails.values()]
        .filter((row) => !row.isSetAside && row.dueAt <= now)
        .sort((one, other) => one.dueAt - other.dueAt || one.mail.createdAt - other.mail.createdAt)
        .slice(0, limit);
      for (const row of due)
        mails.set(row.mail.id, { ...row, attempts: row.attempts + 1, dueAt: now + leaseMs });
      return due.map(({ mail, attempts, reason }) => ({ ...mail, attempts, reason }));
    });
  }

  remove(id: string): Promise<boolean> {
    return this.#database.use(({ mails }) => mails.get(id)?.isSetAside === false && mails.delete(id));
  }

  postpone(id: string, dueAt: number): Promise<void> {
    return this.#database.use(({ mails }) => {
      const row = mails.get(id);
      if (row?.isSetAside === false)
        mails.set(id, { ...row, dueAt, attempts: Math.max(0, row.attempts - 1) });
    });
  }

  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<boolean> {
    return this.#database.use(({ mails }) => {
      const row = mails.get(id);
      if (row === undefined || row.isSetAside) return false;
      const clean = reason.replaceAll('\0', '');
      mails.set(id, {
        ...row,
        reason: clean,
        dueAt: retryAt ?? row.dueAt,
        isSetAside: retryAt === undefined,
      });
      return true;
    });
  }

  setAside(limit: number): Promise<SetAsideMail[]> {
    return this.#database.use(({ mails }) =>
      aside(mails)
        .slice(0, limit)
        .map(({ mail: { content: _, ...facts }, attempts, reason = '' }) => ({ ...facts, attempts, reason })),
    );
  }

  retry(ids: string[] | undefined, now: number): Promise<string[]> {
    return this.#database.use(({ mails }) => {
      const found = aside(mails).filter(
        ({ mail }) => mail.expiresAt > now && (ids === undefined || ids.includes(mail.id)),
      );
      for (const { mail } of found) mails.set(mail.id, { mail, attempts: 0, dueAt: 0, isSetAside: false });
      return found.map(({ mail }) => mail.id);
    });
  }

  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }> {
    return this.#database.use(({ mails }) => {
      const waiting = [...mails.values()].filter(({ isSetAside }) => !isSetAside);
      const times = waiting.map(({ mail }) => mail.createdAt);
      return {
        pending: waiting.length,
        oldest: times.length > 0 ? Math.min(...times) : undefined,
        setAside: mails.size - waiting.length,
      };
    });
  }
}

const aside = (mails: Map<string, MailRow>): MailRow[] =>
  [...mails.values()]
    .filter(({ isSetAside }) => isSetAside)
    .sort((one, other) => one.mail.createdAt - other.mail.createdAt);
