import type { Announcements } from '../../provider/ports/announcements.ts';
import { affected, rows, type Sql } from './sql.ts';

/**
 * One row per topic. A transaction locks the row until it ends, so transactions of one topic run one after the other.
 */
export class PostgresAnnouncements implements Announcements {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async exchange(topic: string, value: string): Promise<string | undefined> {
    // A separate statement, so that the next one sees a row that another transaction has just committed.
    await affected(
      this.#db,
      'insert into announcements (topic) values (:topic) on conflict (topic) do nothing',
      { topic },
    );
    const [last] = await rows<{ value: string | null }>(
      this.#db,
      'select value from announcements where topic = :topic for update',
      { topic },
    );
    await affected(this.#db, 'update announcements set value = :value where topic = :topic', {
      topic,
      value,
    });
    return last?.value ?? undefined;
  }
  async read(topic: string): Promise<string | undefined> {
    const [last] = await rows<{ value: string | null }>(
      this.#db,
      'select value from announcements where topic = :topic',
      { topic },
    );
    return last?.value ?? undefined;
  }
}
