import type { Binding } from '../sql.ts';

/** Runs one statement and gives its rows. `:name` in the text is replaced by the binding with that name. */
export type Query = <Row>(statement: string, bindings?: Record<string, Binding>) => Promise<Row[]>;

/** Why a migration can't be applied to the data. */
export interface Blocked {
  /** What the operator can do, in sentences without a dot at the end. The problems follow it. */
  advice: string;
  problems: string[];
}

/**
 * One step of the schema. During an update, the previous release runs on the new schema, and this release may run on
 * the old one. So a step must not break the previous release. A step that was released is never edited.
 */
export interface Migration {
  /** The name of the file. The database stores it to record that the migration was applied. */
  readonly name: string;
  /**
   * Gives what an operator must decide before this migration is applied; undefined when there is nothing. It writes
   * nothing. It is called before any pending migration is applied, so the tables may be those of an earlier step or
   * missing; and again under the lock, directly before `up`.
   */
  blocked?(query: Query): Promise<Blocked | undefined>;
  /** Runs in one transaction. Each call of `sql` or `query` runs one statement. */
  up(sql: (statement: string) => Promise<void>, query: Query): Promise<void>;
}
