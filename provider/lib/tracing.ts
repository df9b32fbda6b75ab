import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

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

export interface TracingOptions {
  environment: Readonly<Record<string, string | undefined>>;
  version: string;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Traces by OpenTelemetry when its variables name a collector, as they do for other programs. Undefined when not, and
 * then nothing of it is loaded. See `docs/decisions` for the libraries.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { environment, logger } = options;
  if (!isWanted(environment)) return undefined;
  const protocol = protocolOf(environment);
  if (protocol !== 'http/protobuf') {
    logger.warn({ protocol }, 'traces are off: only the protocol http/protobuf is spoken');
    return undefined;
  }
  const { createTracing } = await import('./tracing-sdk.ts');
  const tracing = createTracing(options);
  logger.info({}, 'traces are sent');
  return tracing;
}

function isWanted(environment: TracingOptions['environment']): boolean {
  const named = environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  const off = environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true';
  return Boolean(named) && !off && (environment.OTEL_TRACES_EXPORTER || 'otlp') === 'otlp';
}

const protocolOf = (environment: TracingOptions['environment']) =>
  environment.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ||
  environment.OTEL_EXPORTER_OTLP_PROTOCOL ||
  'http/protobuf';
