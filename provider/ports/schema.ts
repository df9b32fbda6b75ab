/** The database's schema. */
export interface Schema {
  /**
   * Applies the missing migrations, in order, under an advisory lock. Any number of parallel calls apply each migration
   * once, and all of them resolve. Gives the names of the migrations that this call applied. Before it applies any, it
   * asks all of them whether the data allows it.
   *
   * @throws MigrationRefused with all places where an operator must decide first; then nothing was applied
   */
  migrate(): Promise<string[]>;
  /** Gives the names of the migrations that are not applied yet. */
  pending(): Promise<string[]>;
}
