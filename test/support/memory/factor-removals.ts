import type { FactorRemoval, FactorRemovals } from '../../../provider/ports/factor-removals.ts';
import { type Access, MemoryDatabase } from './database.ts';

/** Stores the wishes to remove second factors in memory. */
export class MemoryFactorRemovals implements FactorRemovals {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  request(accountId: string, removal: FactorRemoval, now: number): Promise<boolean> {
    return this.#database.use(({ factorRemovals }) => {
      const known = factorRemovals.get(accountId);
      const isSame =
        known?.factorId === removal.factorId &&
        known.uses === removal.uses &&
        known.tokenVersion === removal.tokenVersion;
      if (isSame && known.expiresAt > now) return false;
      factorRemovals.set(accountId, { ...removal });
      return true;
    });
  }

  find(accountId: string): Promise<FactorRemoval | undefined> {
    return this.#database.use(({ factorRemovals }) => factorRemovals.get(accountId));
  }
}
