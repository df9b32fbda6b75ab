import type { Knex } from 'knex';
import { translateError } from './store-errors.ts';

/** The pool, or one transaction of it: every store works with either. */
export type Sql = Knex | Knex.Transaction;

export type Binding = string | number | boolean | null | readonly string[] | readonly number[];

interface Result<Row> {
  rows: Row[];
  rowCount: number | null;
}

export interface SqlOptions {
  /** How long to wait for the answer, instead of the pool's own limit. */
  timeoutMs?: number;
}

async function run<Row>(
  db: Sql,
  sql: string,
  bindings: Record<string, Binding>,
  { timeoutMs }: SqlOptions,
): Promise<Result<Row>> {
  try {
    const statement = db.raw<Result<Row>>(sql, bindings as Knex.ValueDict);
    return await (timeoutMs === undefined ? statement : statement.options({ query_timeout: timeoutMs }));
  } catch (error) {
    throw translateError(error);
  }
}

/**
 * Runs one statement and gives its rows. `:name` in the text stands for the binding of that name.
 * Throws StoreUnavailable when the database didn't answer.
 */
export async function rows<Row>(
  db: Sql,
  sql: string,
  bindings: Record<string, Binding> = {},
  options: SqlOptions = {},
): Promise<Row[]> {
  return (await run<Row>(db, sql, bindings, options)).rows;
}

/** Runs one statement and gives how many rows it wrote; bindings and errors as for `rows`. */
export async function affected(
  db: Sql,
  sql: string,
  bindings: Record<string, Binding> = {},
  options: SqlOptions = {},
): Promise<number> {
  return (await run(db, sql, bindings, options)).rowCount ?? 0;
}

/**
 * Whether a text column could hold this. Postgres has no NUL character, and a lone surrogate has no UTF-8
 * form, so nothing can be stored under such a name: a look-up answers 'not found' without asking.
 */
export function storable(...texts: string[]): boolean {
  return texts.every((text) => !/[\0\p{Surrogate}]/u.test(text));
}
