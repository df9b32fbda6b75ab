/** What a span says of itself: never a secret, an address, or anything a caller wrote. */
export type SpanAttributes = Record<string, string | number>;

/** The span of one request, from its first byte to the last of its answer. */
export interface RequestSpan {
  readonly traceId: string;
  /** Runs `work` so that the spans begun in it are this one's children. */
  run<T>(work: () => T): T;
  /** @param error its kind, when it failed on our side */
  end(name: string, attributes: SpanAttributes, error?: string): void;
}

/** Where the time of a request goes, for a collector that speaks OTLP. */
export interface Tracing {
  /** @param headers of the request: `traceparent` says whose child it is (W3C Trace Context §3.2) */
  startRequest(headers: Record<string, string | string[] | undefined>): RequestSpan;
  /** Runs `work` as a child of the span under way. Outside of a request there is none, and it just runs. */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  /** Sends what is still to be sent. */
  stop(): Promise<void>;
}
