/** A client document as somebody wrote it, unchecked. */
export interface RawClientDocument {
  /** Where it stands, for error messages: a file's path, a resource's namespace and name. */
  origin: string;
  value: unknown;
}

/** A source that couldn't be read at all: not there, or not YAML. */
export class ClientSourceUnreadable extends Error {}

/** Where client documents come from. */
export interface ClientSource {
  /** For logs and metrics. */
  readonly name: string;
  /** All documents; throws ClientSourceUnreadable, whose message says where and what, when the source itself is bad. */
  load(): Promise<RawClientDocument[]>;
  /** Calls back after every change, at least once for each; the callback must not throw. Gives a function that stops watching. */
  watch(changed: () => void): () => void;
}
