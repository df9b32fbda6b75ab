/** A client document as it was written, not checked yet. */
export interface RawClientDocument {
  /** The place of the document, for error messages: a file's path and line, or a resource's namespace and name. */
  origin: string;
  value: unknown;
}

/** The source itself cannot be read: it does not exist, or it is not YAML. */
export class ClientSourceUnreadable extends Error {}

/** A source of client documents. */
export interface ClientSource {
  /** For logs and metrics. */
  readonly name: string;
  /**
   * Gives all documents.
   *
   * @throws ClientSourceUnreadable when the source can't be read; its message says where the problem is and what is
   *   wrong
   */
  load(): Promise<RawClientDocument[]>;
  /**
   * Calls `changed` at least once after every change. `changed` must not throw.
   *
   * @returns a function that stops watching
   */
  watch(changed: () => void): () => void;
}
