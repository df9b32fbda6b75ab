import type { ClientTokenVersions } from '../../../provider/ports/client-token-versions.ts';
import type { Access } from './database.ts';

/** Generation numbers in a MemoryDatabase shared with the other stores of a transaction. For tests. */
export class MemoryClientTokenVersions implements ClientTokenVersions {
  readonly #database: Access;

  constructor({ database }: { database: Access }) {
    this.#database = database;
  }

  all(): Promise<ReadonlyMap<string, number>> {
    return this.#database.use(({ clientTokenVersions }) => new Map(clientTokenVersions));
  }

  raise(clientId: string): Promise<number> {
    return this.#database.use(({ clientTokenVersions }) => {
      const raised = (clientTokenVersions.get(clientId) ?? 0) + 1;
      clientTokenVersions.set(clientId, raised);
      return raised;
    });
  }
}
