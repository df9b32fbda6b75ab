import type { Account, AccountChange, AccountState, AccountStore } from '../../ports/account-store.ts';
import { emailKey } from './email-key.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface AccountRow {
  id: string;
  email: string;
  email_verified: boolean;
  password_hash: string | null;
  roles: string[];
  metadata: Record<string, unknown>;
  state: AccountState;
  generation: number;
  created_at: string;
  updated_at: string;
}

function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified,
    passwordHash: row.password_hash ?? undefined,
    roles: row.roles,
    metadata: row.metadata,
    state: row.state,
    generation: row.generation,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}

const jsonOrNull = (value: unknown) => (value === undefined ? null : JSON.stringify(value));

export class PostgresAccountStore implements AccountStore {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async insert(account: Account): Promise<boolean> {
    // 'do nothing' rather than catching a violation, which would abort the caller's transaction.
    const inserted = await affected(
      this.#db,
      `insert into accounts (id, email, email_key, email_verified, password_hash, roles, metadata, state,
         generation, created_at, updated_at)
       values (:id, :email, :emailKey, :emailVerified, :passwordHash, :roles, :metadata, :state,
         :generation, :createdAt, :updatedAt)
       on conflict do nothing`,
      {
        ...account,
        emailKey: emailKey(account.email),
        passwordHash: account.passwordHash ?? null,
        roles: JSON.stringify(account.roles),
        metadata: JSON.stringify(account.metadata),
      },
    );
    return inserted === 1;
  }

  async findById(id: string): Promise<Account | undefined> {
    return this.#findBy('id', id);
  }

  async findByEmail(email: string): Promise<Account | undefined> {
    return this.#findBy('email_key', emailKey(email));
  }

  async #findBy(column: 'id' | 'email_key', value: string): Promise<Account | undefined> {
    if (!storable(value)) return undefined;
    const [row] = await rows<AccountRow>(this.#db, `select * from accounts where ${column} = :value`, {
      value,
    });
    return row && toAccount(row);
  }

  async update(id: string, change: AccountChange, at: number): Promise<Account | undefined> {
    if (!storable(id)) return undefined;
    const [row] = await rows<AccountRow>(
      this.#db,
      `update accounts set
         email_verified = coalesce(:emailVerified, email_verified),
         password_hash = coalesce(:passwordHash, password_hash),
         roles = coalesce(:roles, roles),
         metadata = coalesce(:metadata, metadata),
         state = coalesce(:state, state),
         generation = generation + :raise,
         updated_at = :at
       where id = :id
       returning *`,
      {
        id,
        at,
        emailVerified: change.emailVerified ?? null,
        passwordHash: change.passwordHash ?? null,
        roles: jsonOrNull(change.roles),
        metadata: jsonOrNull(change.metadata),
        state: change.state ?? null,
        raise: change.raiseGeneration ? 1 : 0,
      },
    );
    return row && toAccount(row);
  }

  async replacePasswordHash(id: string, from: string, to: string, at: number): Promise<boolean> {
    if (!storable(id, from)) return false;
    const replaced = await affected(
      this.#db,
      'update accounts set password_hash = :to, updated_at = :at where id = :id and password_hash = :from',
      { id, from, to, at },
    );
    return replaced === 1;
  }

  async list(after: string | undefined, limit: number): Promise<Account[]> {
    const found = await rows<AccountRow>(
      this.#db,
      'select * from accounts where id > :after order by id limit :limit',
      { after: after ?? '', limit },
    );
    return found.map(toAccount);
  }
}
