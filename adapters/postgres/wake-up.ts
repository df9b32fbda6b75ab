import type { Knex } from 'knex';
import type { WakeUp } from '../../provider/ports/wake-up.ts';
import { openConnection } from './database.ts';
import { affected } from './sql.ts';
import { translateError } from './store-errors.ts';

const channel = 'gatehouse_events';

/** Uses NOTIFY and LISTEN. A listener has a connection of its own, because the pool closes idle connections. */
export class PostgresWakeUp implements WakeUp {
  readonly #db: Knex;

  constructor({ db }: { db: Knex }) {
    this.#db = db;
  }

  async notify(): Promise<void> {
    // In a statement of its own. In the transaction of a sign-in, NOTIFY would make commits wait for each other.
    await affected(this.#db, `notify ${channel}`);
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
      await connection.query(`listen ${channel}`);
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
