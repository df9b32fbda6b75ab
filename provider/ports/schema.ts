/** The database's schema. */
export interface Schema {
  /**
   * Applies the missing migrations, in order, under an advisory lock. Any number of parallel calls apply each migration
   * once, and all of them resolve. Gives the names of the migrations that this call applied.
   */
  migrate(): Promise<string[]>;
  /** Gives the names of the migrations that are not applied yet. */
  pending(): Promise<string[]>;
}
