/** A client document as it was written, not checked yet. */
export interface RawClientDocument {
  /** The place of the document, for error messages: a file's path and line, or a resource's namespace and name. */
  origin: string;
  value: unknown;
}

/** The source itself cannot be read completely: it does not exist, or it is not YAML. */
export class ClientSourceUnreadable extends Error {
  /** The documents that could be read nevertheless. They are for finding more problems, and never taken into use. */
  readonly readable: readonly RawClientDocument[];

  constructor(message: string, readable: readonly RawClientDocument[] = []) {
    super(message);
    this.readable = readable;
  }
}

/** A source of client documents. */
export interface ClientSource {
  /** For logs and metrics. */
  readonly name: string;
  /**
   * Whether each document is used or refused by itself. In a store, one bad document must not take others out of use.
   * Otherwise (a file, which a person edits as a whole) one bad document refuses all.
   */
  readonly eachByItself: boolean;
  /**
   * Gives all documents.
   *
   * @throws ClientSourceUnreadable when the source can't be read; each line of its message says where a problem is and
   *   what is wrong
   */
  load(): Promise<RawClientDocument[]>;
  /**
   * Calls `changed` at least once after every change. `changed` must not throw.
   *
   * @returns a function that stops watching
   */
  watch(changed: () => void): () => void;
}
