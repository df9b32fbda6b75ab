import { GatehouseError } from '../../provider/lib/errors.ts';
import {
  type Account,
  type AccountChange,
  type AccountState,
  type AccountStore,
  emailKey,
} from '../../provider/ports/account-store.ts';
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
  has_second_factor: boolean;
  unconfirmed: boolean;
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
    ...(row.has_second_factor ? { hasSecondFactor: true } : {}),
    ...(row.unconfirmed ? { isUnconfirmed: true } : {}),
    tokenVersion: row.generation,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}

/**
 * The key that releases before migration 0015 compare. They run beside this one during an update, so their column is
 * still written; accounts that they create then have no `normal_email`.
 */
const earlierKey = (email: string) => email.trim().normalize('NFC').toLowerCase().normalize('NFC');

const uniqueViolation = '23505';

const taken = (cause?: unknown) =>
  new GatehouseError('address_taken', 'Another account has this address. Nothing was changed.', { cause });

const jsonOrNull = (value: unknown) => (value === undefined ? null : JSON.stringify(value));

/**
 * Keeps each id and each address once: the first account that has it. The result is sorted by address, so that two
 * calls with the same addresses lock rows in the same order and can't deadlock.
 */
function withoutRivals(accounts: readonly Account[]): { account: Account; key: string }[] {
  const ids = new Set<string>();
  const keys = new Set<string>();
  const kept = accounts
    .map((account) => ({ account, key: emailKey(account.email) }))
    .filter(({ account: { id }, key }) => {
      if (ids.has(id) || keys.has(key)) return false;
      ids.add(id);
      keys.add(key);
      return true;
    });
  return kept.sort((one, other) => (one.key < other.key ? -1 : 1));
}

export class PostgresAccountStore implements AccountStore {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async insert(account: Account): Promise<boolean> {
    // `do nothing`, because a unique violation would abort the caller's transaction.
    const inserted = await affected(
      this.#db,
      `insert into accounts (id, email, email_key, normal_email, email_verified, password_hash, roles, metadata, state,
         unconfirmed, generation, created_at, updated_at)
       select :id, :email, :earlierKey, :emailKey, :emailVerified, :passwordHash, :roles, :metadata, :state,
         :isUnconfirmed, :tokenVersion, :createdAt, :updatedAt
       where not exists (select from address_changes where from_key = :emailKey)
       on conflict do nothing`,
      {
        ...account,
        earlierKey: earlierKey(account.email),
        emailKey: emailKey(account.email),
        passwordHash: account.passwordHash ?? null,
        hasSecondFactor: null,
        isUnconfirmed: account.isUnconfirmed === true,
        roles: JSON.stringify(account.roles),
        metadata: JSON.stringify(account.metadata),
      },
    );
    return inserted === 1;
  }

  async insertMany(accounts: readonly Account[]): Promise<string[]> {
    const candidates = withoutRivals(accounts);
    const texts = (of: (account: Account) => string | undefined) =>
      candidates.map(({ account }) => of(account) ?? null) as string[];
    const inserted = await rows<{ id: string }>(
      this.#db,
      `insert into accounts (id, email, email_key, normal_email, email_verified, password_hash, roles, metadata, state,
         unconfirmed, generation, created_at, updated_at)
       select id, email, email_key, normal_email, email_verified::boolean, password_hash, roles::json, metadata::json, state,
         unconfirmed::boolean, generation::integer, created_at::bigint, updated_at::bigint
       from unnest(:ids::text[], :emails::text[], :earlierKeys::text[], :emailKeys::text[], :emailVerified::text[],
         :passwordHashes::text[], :roles::text[], :metadata::text[], :states::text[], :unconfirmed::text[],
         :tokenVersions::text[], :createdAt::text[], :updatedAt::text[]) as given (id, email, email_key, normal_email, email_verified,
         password_hash, roles, metadata, state, unconfirmed, generation, created_at, updated_at)
       where not exists (select from address_changes where from_key = normal_email)
       on conflict do nothing
       returning id`,
      {
        ids: texts(({ id }) => id),
        emails: texts(({ email }) => email),
        earlierKeys: texts(({ email }) => earlierKey(email)),
        emailKeys: candidates.map(({ key }) => key),
        emailVerified: texts(({ emailVerified }) => String(emailVerified)),
        passwordHashes: texts(({ passwordHash }) => passwordHash),
        roles: texts(({ roles }) => JSON.stringify(roles)),
        metadata: texts(({ metadata }) => JSON.stringify(metadata)),
        states: texts(({ state }) => state),
        unconfirmed: texts(({ isUnconfirmed }) => String(isUnconfirmed === true)),
        tokenVersions: texts(({ tokenVersion }) => String(tokenVersion)),
        createdAt: texts(({ createdAt }) => String(createdAt)),
        updatedAt: texts(({ updatedAt }) => String(updatedAt)),
      },
    );
    return inserted.map(({ id }) => id);
  }

  async findById(id: string): Promise<Account | undefined> {
    if (!storable(id)) return undefined;
    return this.#findOne('id = :id', { id });
  }

  async findByEmail(email: string): Promise<Account | undefined> {
    if (!storable(email)) return undefined;
    return this.#findOne(
      `coalesce(normal_email, email_key) = :key or (normal_email is null and email_key = :earlierKey)
       order by coalesce(normal_email, email_key) = :key desc limit 1`,
      { key: emailKey(email), earlierKey: earlierKey(email) },
    );
  }

  async #findOne(condition: string, values: Record<string, string>): Promise<Account | undefined> {
    const [row] = await rows<AccountRow>(this.#db, `select * from accounts where ${condition}`, values);
    return row && toAccount(row);
  }

  async update(id: string, change: AccountChange, at: number): Promise<Account | undefined> {
    if (!storable(id)) return undefined;
    if (change.email !== undefined && (await this.#isTaken(change.email, id))) throw taken();
    const changed = this.#write(id, change, at);
    return changed.catch((error: { code?: unknown }) => {
      throw error.code === uniqueViolation ? taken(error) : error;
    });
  }

  /** Whether another account has the address, or can get it back by the undo of a change. */
  async #isTaken(email: string, id: string): Promise<boolean> {
    const [row] = await rows<{ taken: boolean }>(
      this.#db,
      `select exists (select from accounts where coalesce(normal_email, email_key) = :key and id <> :id)
         or exists (select from address_changes where from_key = :key and account_id <> :id) as taken`,
      { key: emailKey(email), id },
    );
    return row?.taken === true;
  }

  async #write(id: string, change: AccountChange, at: number): Promise<Account | undefined> {
    const { email } = change;
    const [row] = await rows<AccountRow>(
      this.#db,
      `update accounts set
         email = coalesce(:email, email),
         email_key = coalesce(:earlierKey, email_key),
         normal_email = coalesce(:emailKey, normal_email),
         email_verified = coalesce(:emailVerified, email_verified),
         password_hash = case when :removePassword then null else coalesce(:passwordHash, password_hash) end,
         roles = coalesce(:roles, roles),
         metadata = coalesce(:metadata, metadata),
         state = coalesce(:state, state),
         has_second_factor = coalesce(:hasSecondFactor, has_second_factor),
         unconfirmed = coalesce(:isUnconfirmed, unconfirmed),
         generation = generation + :raise,
         updated_at = :at
       where id = :id
       returning *`,
      {
        id,
        at,
        email: email ?? null,
        earlierKey: email === undefined ? null : earlierKey(email),
        emailKey: email === undefined ? null : emailKey(email),
        emailVerified: change.emailVerified ?? null,
        removePassword: change.removePassword ?? false,
        passwordHash: change.passwordHash ?? null,
        roles: jsonOrNull(change.roles),
        metadata: jsonOrNull(change.metadata),
        state: change.state ?? null,
        hasSecondFactor: change.hasSecondFactor ?? null,
        isUnconfirmed: change.isUnconfirmed ?? null,
        raise: change.raiseTokenVersion ? 1 : 0,
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
