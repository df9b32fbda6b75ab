/** The database's schema. */
export interface Schema {
  /**
   * Applies what is missing, in order. Under an advisory lock: any number of parallel calls apply each
   * migration once, and all of them resolve. Gives the names of those this call applied.
   */
  migrate(): Promise<string[]>;
  /** The names of migrations not applied yet. */
  pending(): Promise<string[]>;
}
