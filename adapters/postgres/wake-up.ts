import type { Knex } from 'knex';
import type { WakeUp } from '../../provider/ports/wake-up.ts';
import { openConnection } from './database.ts';
import { affected } from './sql.ts';
import { translateError } from './store-errors.ts';

/** Uses NOTIFY and LISTEN. A listener has a connection of its own, because the pool closes idle connections. */
export class PostgresWakeUp implements WakeUp {
  readonly #db: Knex;
  readonly #channel: string;

  /** @param options.channel a name in lower case, which goes into the statement as it is */
  constructor({ db, channel = 'gatehouse_events' }: { db: Knex; channel?: string }) {
    this.#db = db;
    this.#channel = channel;
  }

  async notify(): Promise<void> {
    // In a statement of its own. In the transaction of a sign-in, NOTIFY would make commits wait for each other.
    await affected(this.#db, `notify ${this.#channel}`);
  }

  async listen(woken: () => void, lost: (reason: string) => void): Promise<() => Promise<void>> {
    const connection = await openConnection(this.#db).catch((error: unknown) => {
      throw translateError(error);
    });
    let over = false;
    const end = (reason: string) => {
      if (over) return;
      over = true;
      lost(reason);
    };
    connection.on('error', (error) => end(error.message));
    connection.on('end', () => end('the connection ended'));
    connection.on('notification', woken);
    const stop = async () => {
      over = true;
      await connection.end().catch(() => {});
    };
    try {
      await connection.query(`listen ${this.#channel}`);
    } catch (error) {
      await stop();
      throw translateError(error);
    }
    return stop;
  }
}

/** For an embedded database: only this process can use it, so there is no other listener. */
export const noWakeUp: WakeUp = {
  notify: async () => {},
  listen: async () => async () => {},
};
