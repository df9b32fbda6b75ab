import type { Knex } from 'knex';
import type { Schema } from '../../provider/ports/schema.ts';
import type { Migration } from './migrations/migration.ts';
import { migrations } from './migrations/migrations.ts';
import { affected, rows } from './sql.ts';
import { translateError } from './store-errors.ts';

/** An arbitrary pair of numbers that nobody else in this database locks: 'gate' in ASCII, and one. */
const advisoryLock = 'pg_advisory_xact_lock(1734440037, 1)';

/** How long to wait for another process that migrates, and how long one migration may take. */
const patienceMs = 10 * 60_000;

/** How long a migration may wait for a table: everybody else waits behind it. */
const tableLockMs = 5_000;

/**
 * The advisory lock is taken by each migration's own transaction rather than held by a session: so it needs
 * no second connection (the embedded database has one), can't be left behind on a pooled connection, and
 * works through a pooler that hands out connections by transaction.
 */
export class PostgresSchema implements Schema {
  readonly #db: Knex;
  readonly #migrations: readonly Migration[];

  constructor({ db, list = migrations }: { db: Knex; list?: readonly Migration[] }) {
    this.#db = db;
    this.#migrations = list;
  }

  async migrate(): Promise<string[]> {
    const missing = await this.pending();
    const applied: string[] = [];
    for (const migration of this.#migrations) {
      if (!missing.includes(migration.name)) continue;
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
        await migration.up(async (sql) => {
          await affected(transaction, sql, {}, { timeoutMs: patienceMs });
        });
        return true;
      });
    } catch (error) {
      throw translateError(error);
    }
  }
}

/** Waits until nobody else migrates, and sees to it that the table of what was applied exists. */
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
