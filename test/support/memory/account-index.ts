import type { Clock } from '../../../provider/lib/clock.ts';
import {
  type AccountIndex,
  type AccountIndexEntry,
  type AccountIndexPosition,
  mostEntriesOfAccount,
} from '../../../provider/ports/account-index.ts';

const lastFirst = (one: AccountIndexEntry, other: AccountIndexEntry) =>
  other.expiresAt - one.expiresAt || (one.id < other.id ? 1 : -1);

const byteOrder = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));
const lastUsedFirst = (one: AccountIndexPosition, other: AccountIndexPosition) =>
  other.usedAt - one.usedAt || byteOrder(other.id, one.id);

/** Stores in memory where each account is signed in. */
export class MemoryAccountIndex implements AccountIndex {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, AccountIndexEntry[]>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  async put(accountId: string, entry: AccountIndexEntry): Promise<void> {
    const others = this.#live(accountId).filter(({ id }) => id !== entry.id);
    const all = [...others, { ...entry }].sort(lastFirst);
    this.#accounts.set(accountId, all.slice(0, mostEntriesOfAccount));
  }

  async list(accountId: string): Promise<AccountIndexEntry[]> {
    return structuredClone(this.#live(accountId));
  }

  async page(accountId: string, most: number, after?: AccountIndexPosition): Promise<AccountIndexEntry[]> {
    const sorted = this.#live(accountId).sort(lastUsedFirst);
    const rest = after ? sorted.filter((entry) => lastUsedFirst(after, entry) < 0) : sorted;
    return structuredClone(rest.slice(0, most));
  }

  async find(accountId: string, id: string): Promise<AccountIndexEntry | undefined> {
    return structuredClone(this.#live(accountId).find((entry) => entry.id === id));
  }

  async remove(accountId: string, id: string): Promise<void> {
    const others = this.#live(accountId).filter((entry) => entry.id !== id);
    if (others.length > 0) this.#accounts.set(accountId, others);
    else this.#accounts.delete(accountId);
  }

  #live(accountId: string): AccountIndexEntry[] {
    const entries = this.#accounts.get(accountId) ?? [];
    return entries.filter(({ expiresAt }) => expiresAt > this.#clock.now());
  }
}
