/** The attributes of a span. They never contain a secret, an address, or text from a caller. */
export type SpanAttributes = Record<string, string | number>;

/** The span of one request, from its first byte to the last byte of its response. */
export interface RequestSpan {
  readonly traceId: string;
  /** Runs `work` so that spans started in it are children of this span. */
  run<T>(work: () => T): T;
  /** @param error its kind, when it failed on our side */
  end(name: string, attributes: SpanAttributes, error?: string): void;
}

/** Records how long the parts of a request take, for a collector that supports OTLP. */
export interface Tracing {
  /** @param headers of the request: `traceparent` names the parent span (W3C Trace Context §3.2) */
  startRequest(headers: Record<string, string | string[] | undefined>): RequestSpan;
  /** Runs `work` as a child of the current span. Outside of a request it runs `work` without a span. */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  /** Sends the remaining spans. */
  stop(): Promise<void>;
}
