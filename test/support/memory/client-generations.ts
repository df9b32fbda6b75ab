import type { ClientGenerations } from '../../../provider/ports/client-generations.ts';
import type { Access } from './database.ts';

/** Generation numbers in a MemoryDatabase shared with the other stores of a transaction. For tests. */
export class MemoryClientGenerations implements ClientGenerations {
  readonly #database: Access;

  constructor({ database }: { database: Access }) {
    this.#database = database;
  }

  all(): Promise<ReadonlyMap<string, number>> {
    return this.#database.use(({ clientGenerations }) => new Map(clientGenerations));
  }

  raise(clientId: string): Promise<number> {
    return this.#database.use(({ clientGenerations }) => {
      const raised = (clientGenerations.get(clientId) ?? 0) + 1;
      clientGenerations.set(clientId, raised);
      return raised;
    });
  }
}
