import type { Knex } from 'knex';
import { MigrationRefused } from '../../provider/lib/errors.ts';
import type { Schema } from '../../provider/ports/schema.ts';
import type { Migration, Query } from './migrations/migration.ts';
import { migrations } from './migrations/migrations.ts';
import { affected, rows } from './sql.ts';
import { translateError } from './store-errors.ts';

/**
 * An arbitrary pair of numbers for the lock: 'gate' in ASCII, and 1. No other program in this database should use it.
 */
const advisoryLock = 'pg_advisory_xact_lock(1734440037, 1)';

/** The longest wait for another process that migrates, and the longest time for one migration. */
const patienceMs = 10 * 60_000;

/** The longest wait of a migration for a table lock. While it waits, all later queries on this table wait too. */
const tableLockMs = 5_000;

/**
 * Each migration takes the advisory lock in its own transaction, not in the session. So the lock needs no second
 * connection (the embedded database has only one), it can't stay on a pooled connection, and it works with a pooler
 * that assigns a connection per transaction.
 */
export class PostgresSchema implements Schema {
  readonly #db: Knex;
  readonly #migrations: readonly Migration[];

  constructor({ db, list = migrations }: { db: Knex; list?: readonly Migration[] }) {
    this.#db = db;
    this.#migrations = list;
  }

  async migrate(): Promise<string[]> {
    const names = await this.pending();
    const missing = this.#migrations.filter(({ name }) => names.includes(name));
    await this.#refuseBlocked(missing);
    const applied: string[] = [];
    for (const migration of missing) {
      if (await this.#applyOnce(migration)) applied.push(migration.name);
    }
    return applied;
  }

  async pending(): Promise<string[]> {
    const names = this.#migrations.map(({ name }) => name);
    const [table] = await rows<{ exists: boolean }>(
      this.#db,
      "select to_regclass('gatehouse_migrations') is not null as exists",
    );
    if (!table?.exists) return names;
    const done = await rows<{ name: string }>(this.#db, 'select name from gatehouse_migrations');
    return names.filter((name) => !done.some((row) => row.name === name));
  }

  /** Before anything is written, so that a refusal changes nothing. */
  async #refuseBlocked(missing: readonly Migration[]): Promise<void> {
    if (missing.every(({ blocked }) => blocked === undefined)) return;
    try {
      await this.#db.transaction(async (transaction) => {
        await affected(transaction, 'set local statement_timeout = 0');
        for (const migration of missing) await refuseIfBlocked(migration, queryOf(transaction));
      });
    } catch (error) {
      throw translateError(error);
    }
  }

  async #applyOnce(migration: Migration): Promise<boolean> {
    try {
      return await this.#db.transaction(async (transaction) => {
        await lockSchema(transaction);
        const recorded = await affected(
          transaction,
          'insert into gatehouse_migrations (name) values (:name) on conflict do nothing',
          { name: migration.name },
        );
        if (recorded === 0) return false;
        const query = queryOf(transaction);
        await refuseIfBlocked(migration, query);
        await migration.up(async (sql) => {
          await query(sql);
        }, query);
        return true;
      });
    } catch (error) {
      throw translateError(error);
    }
  }
}

const queryOf =
  (transaction: Knex.Transaction): Query =>
  (statement, bindings = {}) =>
    rows(transaction, statement, bindings, { timeoutMs: patienceMs });

/** @throws MigrationRefused when an operator must decide something first */
async function refuseIfBlocked({ name, blocked }: Migration, query: Query): Promise<void> {
  const found = await blocked?.(query);
  if (found !== undefined) throw new MigrationRefused(name, found.advice, found.problems);
}

/** Waits until no other process migrates. Then creates the table of applied migrations if it does not exist. */
async function lockSchema(transaction: Knex.Transaction): Promise<void> {
  await affected(transaction, 'set local statement_timeout = 0');
  await affected(transaction, `set local lock_timeout = ${patienceMs}`);
  await affected(transaction, `select ${advisoryLock}`, {}, { timeoutMs: patienceMs });
  await affected(transaction, `set local lock_timeout = ${tableLockMs}`);
  await affected(
    transaction,
    `create table if not exists gatehouse_migrations (
       name text primary key,
       applied_at timestamptz not null default now()
     )`,
  );
}
