/**
 * One step of the schema. During an update, the previous release runs on the new schema, and this release may run on
 * the old one. So a step must not break the previous release. A step that was released is never edited.
 */
export interface Migration {
  /** The name of the file. The database stores it to record that the migration was applied. */
  readonly name: string;
  /** Runs in one transaction. Each call of `sql` runs one statement. */
  up(sql: (statement: string) => Promise<void>): Promise<void>;
}
