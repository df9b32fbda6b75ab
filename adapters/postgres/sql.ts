import type { Knex } from 'knex';
import { translateError } from './store-errors.ts';

/** The pool or one of its transactions. Every store works with both. */
export type Sql = Knex | Knex.Transaction;

export type Binding = string | number | boolean | null | readonly string[] | readonly number[];

interface Result<Row> {
  rows: Row[];
  rowCount: number | null;
}

export interface SqlOptions {
  /** The longest wait for the answer, in milliseconds. It replaces the pool's limit. */
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
 * Runs one statement and gives its rows. `:name` in the text is replaced by the binding with that name.
 *
 * @throws StoreUnavailable when the database did not answer
 */
export async function rows<Row>(
  db: Sql,
  sql: string,
  bindings: Record<string, Binding> = {},
  options: SqlOptions = {},
): Promise<Row[]> {
  return (await run<Row>(db, sql, bindings, options)).rows;
}

/** Runs one statement and gives the number of rows that it wrote. Bindings and errors are the same as for `rows`. */
export async function affected(
  db: Sql,
  sql: string,
  bindings: Record<string, Binding> = {},
  options: SqlOptions = {},
): Promise<number> {
  return (await run(db, sql, bindings, options)).rowCount ?? 0;
}

/**
 * Whether a text column can store all these texts. Postgres can't store NUL, and a lone surrogate has no UTF-8 form. So
 * no row can have such a key, and a look-up gives 'not found' without a query.
 */
export function storable(...texts: string[]): boolean {
  return texts.every((text) => !/[\0\p{Surrogate}]/u.test(text));
}
