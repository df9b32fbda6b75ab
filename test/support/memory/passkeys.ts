import type {
  Passkey,
  PasskeyAdded,
  Passkeys,
  PasskeyUse,
  StoredPasskey,
} from '../../../provider/ports/passkeys.ts';
import { type Access, MemoryDatabase } from './database.ts';

/** Stores passkeys in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryPasskeys implements Passkeys {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  find(id: string): Promise<StoredPasskey | undefined> {
    return this.#database.use(({ passkeys, userHandles }) => {
      const passkey = passkeys.get(id);
      return passkey && { ...passkey, userHandle: userHandles.get(passkey.accountId) ?? '' };
    });
  }

  list(accountId: string): Promise<Passkey[]> {
    return this.#database.use(({ passkeys }) =>
      [...passkeys.values()]
        .filter((passkey) => passkey.accountId === accountId)
        .sort((one, other) => one.createdAt - other.createdAt),
    );
  }

  userHandle(accountId: string): Promise<string | undefined> {
    return this.#database.use(({ userHandles }) => userHandles.get(accountId));
  }

  add({ userHandle, ...passkey }: StoredPasskey, most: number): Promise<PasskeyAdded> {
    return this.#database.use(({ passkeys, userHandles }) => {
      const { accountId, id } = passkey;
      const stored = [...passkeys.values()].filter((one) => one.accountId === accountId).length;
      if (stored >= most) return 'full';
      if (passkeys.has(id) || (userHandles.get(accountId) ?? userHandle) !== userHandle) return 'exists';
      userHandles.set(accountId, userHandle);
      passkeys.set(id, { ...passkey, lastUsedAt: undefined });
      return 'added';
    });
  }

  use(id: string, { counter, isBackedUp, at }: PasskeyUse): Promise<boolean> {
    return this.#database.use(({ passkeys }) => {
      const passkey = passkeys.get(id);
      if (passkey === undefined) return false;
      if (passkey.counter >= counter && (passkey.counter !== 0 || counter !== 0)) return false;
      passkeys.set(id, { ...passkey, counter, isBackedUp, lastUsedAt: at });
      return true;
    });
  }

  rename(accountId: string, id: string, name: string): Promise<boolean> {
    return this.#database.use(({ passkeys }) => {
      const passkey = passkeys.get(id);
      if (passkey?.accountId !== accountId) return false;
      passkeys.set(id, { ...passkey, name });
      return true;
    });
  }

  remove(accountId: string, id: string): Promise<Passkey | undefined> {
    return this.#database.use(({ passkeys }) => {
      const passkey = passkeys.get(id);
      if (passkey?.accountId !== accountId) return undefined;
      passkeys.delete(id);
      return passkey;
    });
  }

  removeAll(accountId: string): Promise<Passkey[]> {
    return this.#database.use(({ passkeys }) => {
      const removed = [...passkeys.values()].filter((passkey) => passkey.accountId === accountId);
      for (const { id } of removed) passkeys.delete(id);
      return removed;
    });
  }
}
