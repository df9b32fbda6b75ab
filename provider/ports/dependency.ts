/** Something Gatehouse can't work without. */
export interface Dependency {
  /** For `/readyz`, logs and metrics: `postgres`, `redis`. */
  readonly name: string;
  /** Resolves when it answers, rejects with the reason when it doesn't, within a bounded time. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
