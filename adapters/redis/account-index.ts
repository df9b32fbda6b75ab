import type { Clock } from '../../provider/lib/clock.ts';
import {
  type AccountIndex,
  type AccountIndexEntry,
  mostEntriesOfAccount,
} from '../../provider/ports/account-index.ts';
import { putEntryScript, removeEntryScript } from './account-index-scripts.ts';
import type { RedisConnection, RedisScript } from './connection.ts';

/** The JSON value that is stored under the id of an entry. */
type StoredEntry = [kind: AccountIndexEntry['kind'], details: string, expiresAt: number];

function toEntry([id, stored]: [string, string]): AccountIndexEntry {
  const [kind, details, expiresAt] = JSON.parse(stored) as StoredEntry;
  return { kind, id, details, expiresAt };
}

/** The sign-ins of accounts. Each account has two keys, and each write is one script on both. */
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
    // The prefix makes every tag a valid hash tag. Redis does not use an empty tag, and a tag ends at the first `}`, so
    // an id that is empty or starts with `}` would not be one.
    const tag = `account:${accountId}`;
    return [this.#redis.key(tag, 'e'), this.#redis.key(tag, 'x')];
  }
}
