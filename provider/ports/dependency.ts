/** A server that Gatehouse can't work without. */
export interface Dependency {
  /** For `/readyz`, logs and metrics: `postgres`, `redis`. */
  readonly name: string;
  /** Resolves when the server answers. Rejects with the reason when it doesn't answer within a bounded time. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
