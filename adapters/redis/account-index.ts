import type { Clock } from '../../provider/lib/clock.ts';
import {
  type AccountIndex,
  type AccountIndexEntry,
  type AccountIndexPosition,
  mostEntriesOfAccount,
} from '../../provider/ports/account-index.ts';
import { pageScript, putEntryScript, removeEntryScript } from './account-index-scripts.ts';
import type { RedisConnection, RedisScript } from './connection.ts';

/** The JSON value that is stored under the id of an entry. The last release writes no `usedAt`. */
type StoredEntry = [kind: AccountIndexEntry['kind'], details: string, expiresAt: number, usedAt?: number];

function toEntry(id: string, stored: string): AccountIndexEntry {
  const [kind, details, expiresAt, usedAt = 0] = JSON.parse(stored) as StoredEntry;
  return { kind, id, details, usedAt, expiresAt };
}

/** The sign-ins of accounts. Each account has three keys, and each write is one script on all of them. */
export class RedisAccountIndex implements AccountIndex {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #put: RedisScript;
  readonly #remove: RedisScript;
  readonly #page: RedisScript;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#put = redis.script('gatehousePutAccountEntry', putEntryScript);
    this.#remove = redis.script('gatehouseRemoveAccountEntry', removeEntryScript);
    this.#page = redis.script('gatehousePageAccountEntries', pageScript);
  }

  async put(accountId: string, entry: AccountIndexEntry): Promise<void> {
    const { kind, id, details, usedAt, expiresAt } = entry;
    const stored: StoredEntry = [kind, details, expiresAt, usedAt];
    const args = [this.#clock.now(), mostEntriesOfAccount, id, JSON.stringify(stored), expiresAt, usedAt];
    await this.#put(this.#keys(accountId), args);
  }

  async list(accountId: string): Promise<AccountIndexEntry[]> {
    const [entries] = this.#keys(accountId);
    const found = await this.#redis.run((client) => client.hgetall(entries));
    const now = this.#clock.now();
    return Object.entries(found)
      .map(([id, stored]) => toEntry(id, stored))
      .filter(({ expiresAt }) => expiresAt > now);
  }

  async page(accountId: string, most: number, after?: AccountIndexPosition): Promise<AccountIndexEntry[]> {
    const args = [this.#clock.now(), most, after?.usedAt ?? '+inf', after?.id ?? ''];
    const found = (await this.#page(this.#keys(accountId), args)) as string[];
    const entries: AccountIndexEntry[] = [];
    for (let index = 0; index < found.length; index += 3) {
      const [id = '', stored = '', usedAt] = found.slice(index, index + 3);
      entries.push({ ...toEntry(id, stored), usedAt: Number(usedAt) });
    }
    return entries;
  }

  async find(accountId: string, id: string): Promise<AccountIndexEntry | undefined> {
    const [entries] = this.#keys(accountId);
    const stored = await this.#redis.run((client) => client.hget(entries, id));
    const entry = typeof stored === 'string' ? toEntry(id, stored) : undefined;
    return entry && entry.expiresAt > this.#clock.now() ? entry : undefined;
  }

  async remove(accountId: string, id: string): Promise<void> {
    await this.#remove(this.#keys(accountId), [this.#clock.now(), mostEntriesOfAccount, id]);
  }

  #keys(accountId: string): [entries: string, expiries: string, uses: string] {
    // The prefix makes every tag a valid hash tag. Redis does not use an empty tag, and a tag ends at the first `}`, so
    // an id that is empty or starts with `}` would not be one.
    const tag = `account:${accountId}`;
    return [this.#redis.key(tag, 'e'), this.#redis.key(tag, 'x'), this.#redis.key(tag, 'u')];
  }
}
