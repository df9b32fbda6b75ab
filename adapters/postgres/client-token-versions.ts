import type { ClientTokenVersions } from '../../provider/ports/client-token-versions.ts';
import { rows, type Sql } from './sql.ts';

interface Row {
  client_id: string;
  generation: number;
}

export class PostgresClientTokenVersions implements ClientTokenVersions {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async all(): Promise<ReadonlyMap<string, number>> {
    const found = await rows<Row>(this.#db, 'select client_id, generation from client_generations');
    return new Map(found.map(({ client_id: clientId, generation }) => [clientId, generation]));
  }

  async raise(clientId: string): Promise<number> {
    const [raised] = await rows<Row>(
      this.#db,
      `insert into client_generations (client_id, generation) values (:clientId, 1)
       on conflict (client_id) do update set generation = client_generations.generation + 1
       returning client_id, generation`,
      { clientId },
    );
    if (!raised) throw new Error('an insert that returns its row gave none');
    return raised.generation;
  }
}
