import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Tracing } from './tracing.ts';

export interface TracingOptions {
  environment: Readonly<Record<string, string | undefined>>;
  version: string;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Starts OpenTelemetry tracing when the standard OpenTelemetry variables name a collector. Otherwise gives undefined and
 * loads no tracing library. See `docs/decisions` for the libraries.
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
