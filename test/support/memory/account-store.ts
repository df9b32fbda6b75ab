import { GatehouseError } from '../../../provider/lib/errors.ts';
import {
  type Account,
  type AccountChange,
  type AccountStore,
  emailKey,
} from '../../../provider/ports/account-store.ts';
import { type Access, MemoryDatabase, type Tables } from './database.ts';

/** Normalizes an address for uniqueness and lookup, as Postgres does. */
function withEmail(tables: Tables, email: string): Account | undefined {
  const key = emailKey(email);
  return [...tables.accounts.values()].find((account) => emailKey(account.email) === key);
}

function isFree(tables: Tables, { id, email }: Account): boolean {
  return !tables.accounts.has(id) && !withEmail(tables, email) && !isKept(tables, email, id);
}

/** Whether another account can get the address back by the undo of a change. */
function isKept(tables: Tables, email: string, id: string): boolean {
  const key = emailKey(email);
  return [...tables.addressChanges.values()].some(
    ({ change }) => emailKey(change.from) === key && change.accountId !== id,
  );
}

function changed(account: Account, change: AccountChange, at: number): Account {
  const { raiseTokenVersion, removePassword, hasSecondFactor = account.hasSecondFactor, ...others } = change;
  const { isUnconfirmed = account.isUnconfirmed, ...fields } = others;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const tokenVersion = account.tokenVersion + (raiseTokenVersion ? 1 : 0);
  const { hasSecondFactor: _, isUnconfirmed: __, ...kept } = account;
  const flags = {
    ...(hasSecondFactor ? { hasSecondFactor } : {}),
    ...(isUnconfirmed ? { isUnconfirmed } : {}),
  };
  const password = removePassword ? { passwordHash: undefined } : {};
  return structuredClone({ ...kept, ...given, ...flags, ...password, tokenVersion, updatedAt: at });
}

/** Stores accounts in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryAccountStore implements AccountStore {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  insert(account: Account): Promise<boolean> {
    return this.#database.use((tables) => {
      if (!isFree(tables, account)) return false;
      tables.accounts.set(account.id, structuredClone(account));
      return true;
    });
  }

  insertMany(accounts: readonly Account[]): Promise<string[]> {
    return this.#database.use((tables) => {
      const inserted = accounts.filter((account) => {
        if (!isFree(tables, account)) return false;
        tables.accounts.set(account.id, structuredClone(account));
        return true;
      });
      return inserted.map(({ id }) => id);
    });
  }

  findById(id: string): Promise<Account | undefined> {
    return this.#database.use(({ accounts }) => structuredClone(accounts.get(id)));
  }

  findByEmail(email: string): Promise<Account | undefined> {
    return this.#database.use((tables) => structuredClone(withEmail(tables, email)));
  }

  update(id: string, change: AccountChange, at: number): Promise<Account | undefined> {
    return this.#database.use((tables) => {
      const { accounts } = tables;
      const account = accounts.get(id);
      if (!account) return undefined;
      if (change.email !== undefined) {
        const owner = withEmail(tables, change.email);
        if ((owner && owner.id !== id) || isKept(tables, change.email, id))
          throw new GatehouseError('address_taken', 'Another account has this address.');
      }
      accounts.set(id, changed(account, change, at));
      return structuredClone(accounts.get(id));
    });
  }

  replacePasswordHash(id: string, from: string, to: string, at: number): Promise<boolean> {
    return this.#database.use(({ accounts }) => {
      const account = accounts.get(id);
      if (!account || account.passwordHash !== from) return false;
      accounts.set(id, changed(account, { passwordHash: to }, at));
      return true;
    });
  }

  list(after: string | undefined, limit: number): Promise<Account[]> {
    return this.#database.use(({ accounts }) => {
      const ids = [...accounts.keys()].filter((id) => after === undefined || id > after).sort();
      return ids.slice(0, limit).flatMap((id) => structuredClone(accounts.get(id)) ?? []);
    });
  }
}
