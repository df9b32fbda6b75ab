import { emailKey } from '../../provider/ports/account-store.ts';
import type { AddressChange, AddressChanges } from '../../provider/ports/address-changes.ts';
import { affected, rows, type Sql } from './sql.ts';

interface ChangeRow {
  id: string;
  account_id: string;
  from_email: string;
  to_email: string;
  expires_at: string;
}

const toChange = (row: ChangeRow): AddressChange => ({
  id: row.id,
  accountId: row.account_id,
  from: row.from_email,
  to: row.to_email,
  expiresAt: Number(row.expires_at),
});

/** The position of a row is the order of the changes of an account, because only one of them waits at a time. */
export class PostgresAddressChanges implements AddressChanges {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async request({ id, accountId, from, to, expiresAt }: AddressChange): Promise<void> {
    await affected(
      this.#db,
      `insert into address_changes (id, account_id, from_key, from_email, to_email, expires_at)
       values (:id, :accountId, :fromKey, :from, :to, :expiresAt)
       on conflict (account_id) where not is_done do update set id = excluded.id, from_key = excluded.from_key,
         from_email = excluded.from_email, to_email = excluded.to_email, expires_at = excluded.expires_at`,
      { id, accountId, fromKey: emailKey(from), from, to, expiresAt },
    );
  }

  async waiting(accountId: string, now: number): Promise<AddressChange | undefined> {
    const [row] = await rows<ChangeRow>(
      this.#db,
      'select * from address_changes where account_id = :accountId and not is_done and expires_at > :now',
      { accountId, now },
    );
    return row && toChange(row);
  }

  async complete(id: string, now: number, expiresAt: number): Promise<AddressChange | undefined> {
    const [row] = await rows<ChangeRow>(
      this.#db,
      `update address_changes set is_done = true, expires_at = :expiresAt
       where id = :id and not is_done and expires_at > :now
       returning *`,
      { id, now, expiresAt },
    );
    return row && toChange(row);
  }

  async undo(id: string, now: number): Promise<AddressChange | undefined> {
    const removed = await rows<ChangeRow>(
      this.#db,
      `delete from address_changes using address_changes as undone
       where undone.id = :id and undone.is_done and undone.expires_at > :now
         and address_changes.account_id = undone.account_id and address_changes.position >= undone.position
       returning address_changes.*`,
      { id, now },
    );
    const undone = removed.find((row) => row.id === id);
    return undone && toChange(undone);
  }
}
