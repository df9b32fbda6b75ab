/**
 * One step of the schema. Steps only add: the release before must go on working on the new schema, and this
 * release on the old one until it is migrated. A step that was released is never edited.
 */
export interface Migration {
  /** Its file's name; kept in the database. */
  readonly name: string;
  /** Runs in one transaction. Each call of `sql` runs one statement. */
  up(sql: (statement: string) => Promise<void>): Promise<void>;
}
