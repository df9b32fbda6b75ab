import type {
  Passkey,
  PasskeyAdded,
  Passkeys,
  PasskeyUse,
  StoredPasskey,
} from '../../provider/ports/passkeys.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface PasskeyRow {
  id: string;
  account_id: string;
  public_key: string;
  counter: string;
  transports: string[];
  is_shareable: boolean;
  is_backed_up: boolean;
  name: string;
  created_at: string;
  last_used_at: string | null;
}

const columns =
  'id, account_id, public_key, counter, transports, is_shareable, is_backed_up, name, created_at, last_used_at';

const passkeyOf = (row: PasskeyRow): Passkey => ({
  id: row.id,
  accountId: row.account_id,
  publicKey: row.public_key,
  counter: Number(row.counter),
  transports: row.transports,
  isShareable: row.is_shareable,
  isBackedUp: row.is_backed_up,
  name: row.name,
  createdAt: Number(row.created_at),
  lastUsedAt: row.last_used_at === null ? undefined : Number(row.last_used_at),
});

export class PostgresPasskeys implements Passkeys {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async find(id: string): Promise<StoredPasskey | undefined> {
    if (!storable(id)) return undefined;
    const [row] = await rows<PasskeyRow & { user_handle: string }>(
      this.#db,
      `select ${columns}, user_handle from passkeys join passkey_users using (account_id) where id = :id`,
      { id },
    );
    return row && { ...passkeyOf(row), userHandle: row.user_handle };
  }

  async list(accountId: string): Promise<Passkey[]> {
    if (!storable(accountId)) return [];
    const found = await rows<PasskeyRow>(
      this.#db,
      `select ${columns} from passkeys where account_id = :accountId order by created_at, id`,
      { accountId },
    );
    return found.map(passkeyOf);
  }

  async userHandle(accountId: string): Promise<string | undefined> {
    if (!storable(accountId)) return undefined;
    const [row] = await rows<{ user_handle: string }>(
      this.#db,
      'select user_handle from passkey_users where account_id = :accountId',
      { accountId },
    );
    return row?.user_handle;
  }

  async add({ lastUsedAt: _, ...passkey }: StoredPasskey, most: number): Promise<PasskeyAdded> {
    const [row] = await rows<{ stored: string; added: string }>(
      this.#db,
      `with handle as (
         insert into passkey_users (account_id, user_handle) values (:accountId, :userHandle)
         on conflict do nothing returning user_handle
       ), stored as (
         select count(*) as stored from passkeys where account_id = :accountId
       ), added as (
         insert into passkeys (id, account_id, public_key, counter, transports, is_shareable, is_backed_up, name, created_at)
         select :id, :accountId, :publicKey, :counter, :transports::text[], :isShareable, :isBackedUp, :name, :createdAt
         from stored
         where stored < :most and :userHandle = coalesce(
           (select user_handle from handle),
           (select user_handle from passkey_users where account_id = :accountId)
         )
         on conflict do nothing returning id
       )
       select stored, (select count(*) from added) as added from stored`,
      { ...passkey, most },
    );
    if (Number(row?.added) === 1) return 'added';
    return Number(row?.stored) >= most ? 'full' : 'exists';
  }

  async use(id: string, { counter, isBackedUp, at }: PasskeyUse): Promise<boolean> {
    const used = await affected(
      this.#db,
      `update passkeys set counter = :counter, is_backed_up = :isBackedUp, last_used_at = :at
       where id = :id and (counter < :counter or (counter = 0 and :counter = 0))`,
      { id, counter, isBackedUp, at },
    );
    return used === 1;
  }

  async rename(accountId: string, id: string, name: string): Promise<boolean> {
    if (!storable(id)) return false;
    const renamed = await affected(
      this.#db,
      'update passkeys set name = :name where account_id = :accountId and id = :id',
      { accountId, id, name },
    );
    return renamed === 1;
  }

  async remove(accountId: string, id: string): Promise<Passkey | undefined> {
    if (!storable(id)) return undefined;
    const [row] = await rows<PasskeyRow>(
      this.#db,
      `delete from passkeys where account_id = :accountId and id = :id returning ${columns}`,
      { accountId, id },
    );
    return row && passkeyOf(row);
  }

  async removeAll(accountId: string): Promise<Passkey[]> {
    const removed = await rows<PasskeyRow>(
      this.#db,
      `delete from passkeys where account_id = :accountId returning ${columns}`,
      { accountId },
    );
    return removed.map(passkeyOf);
  }
}
