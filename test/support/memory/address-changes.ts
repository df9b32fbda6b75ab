import type { AddressChange, AddressChanges } from '../../../provider/ports/address-changes.ts';
import { type Access, MemoryDatabase } from './database.ts';

/** Changes of addresses in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryAddressChanges implements AddressChanges {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  async request(change: AddressChange): Promise<void> {
    await this.#database.use(({ addressChanges }) => {
      for (const [id, row] of addressChanges)
        if (row.change.accountId === change.accountId && !row.isDone) addressChanges.delete(id);
      addressChanges.set(change.id, { change: { ...change }, isDone: false });
    });
  }

  waiting(accountId: string, now: number): Promise<AddressChange | undefined> {
    return this.#database.use(({ addressChanges }) => {
      const row = [...addressChanges.values()].find(
        ({ change, isDone }) => !isDone && change.accountId === accountId && change.expiresAt > now,
      );
      return row && { ...row.change };
    });
  }

  complete(id: string, now: number, expiresAt: number): Promise<AddressChange | undefined> {
    return this.#database.use(({ addressChanges }) => {
      const row = addressChanges.get(id);
      if (!row || row.isDone || row.change.expiresAt <= now) return undefined;
      const change = { ...row.change, expiresAt };
      addressChanges.set(id, { change, isDone: true });
      return { ...change };
    });
  }

  undo(id: string, now: number): Promise<AddressChange | undefined> {
    return this.#database.use(({ addressChanges }) => {
      const row = addressChanges.get(id);
      if (!row?.isDone || row.change.expiresAt <= now) return undefined;
      const ids = [...addressChanges.keys()];
      for (const later of ids.slice(ids.indexOf(id)))
        if (addressChanges.get(later)?.change.accountId === row.change.accountId)
          addressChanges.delete(later);
      return { ...row.change };
    });
  }
}
