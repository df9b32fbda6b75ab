import type { Clock } from '../../provider/lib/clock.ts';
import {
  type AccountIndex,
  type AccountIndexEntry,
  mostEntriesOfAccount,
} from '../../provider/ports/account-index.ts';
import { putEntryScript, removeEntryScript } from './account-index-scripts.ts';
import type { RedisConnection, RedisScript } from './connection.ts';

/** What is stored under an entry's id. */
type StoredEntry = [kind: AccountIndexEntry['kind'], details: string, expiresAt: number];

function toEntry([id, stored]: [string, string]): AccountIndexEntry {
  const [kind, details, expiresAt] = JSON.parse(stored) as StoredEntry;
  return { kind, id, details, expiresAt };
}

/** Where accounts are signed in: two keys an account, written by one script at a time. */
export class RedisAccountIndex implements AccountIndex {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #put: RedisScript;
  readonly #remove: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#put = redis.script('gatehousePutAccountEntry', putEntryScript);
    this.#remove = redis.script('gatehouseRemoveAccountEntry', removeEntryScript);
  }

  async put(accountId: string, { kind, id, details, expiresAt }: AccountIndexEntry): Promise<void> {
    const stored: StoredEntry = [kind, details, expiresAt];
    const args = [this.#clock.now(), mostEntriesOfAccount, id, JSON.stringify(stored), expiresAt];
    await this.#put(this.#keys(accountId), args);
  }

  async list(accountId: string): Promise<AccountIndexEntry[]> {
    const [entries] = this.#keys(accountId);
    const found = await this.#redis.run((client) => client.hgetall(entries));
    const now = this.#clock.now();
    return Object.entries(found)
      .map(toEntry)
      .filter(({ expiresAt }) => expiresAt > now);
  }

  async remove(accountId: string, id: string): Promise<void> {
    await this.#remove(this.#keys(accountId), [this.#clock.now(), mostEntriesOfAccount, id]);
  }

  #keys(accountId: string): [entries: string, expiries: string] {
    // The word in front keeps any account's id a hash tag: an empty one, or one cut short to nothing, isn't.
    const tag = `account:${accountId}`;
    return [this.#redis.key(tag, 'e'), this.#redis.key(tag, 'x')];
  }
}
