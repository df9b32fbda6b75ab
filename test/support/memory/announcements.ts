import type { Announcements } from '../../../provider/ports/announcements.ts';
import type { Access } from './database.ts';

/** Stores the last announced values in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryAnnouncements implements Announcements {
  readonly #database: Access;

  constructor({ database }: { database: Access }) {
    this.#database = database;
  }

  exchange(topic: string, value: string): Promise<string | undefined> {
    return this.#database.use(({ announcements }) => {
      const last = announcements.get(topic);
      announcements.set(topic, value);
      return last;
    });
  }
  read(topic: string): Promise<string | undefined> {
    return this.#database.use(({ announcements }) => announcements.get(topic));
  }
}
