import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  DiagLogLevel,
  defaultTextMapGetter,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Clock } from './clock.ts';
import { GatehouseError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { Tracing } from './tracing.ts';

export interface SdkOptions {
  version: string;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
}

/**
 * Loaded only when traces are wanted. The libraries read the rest of their variables themselves (headers, certificates,
 * sampler, batches). Only their global error handlers are set, so no spans of other libraries are included.
 */
export function createTracing(options: SdkOptions): Tracing {
  listenToComplaints(options);
  const provider = new BasicTracerProvider({
    resource: resourceOf(options.version),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('gatehouse', options.version);
  const propagator = new W3CTraceContextPropagator();
  const active = new AsyncLocalStorage<Context>();
  return {
    startRequest: (headers) => {
      const caller = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER }, caller);
      return {
        traceId: span.spanContext().traceId,
        run: (work) => active.run(trace.setSpan(caller, span), work),
        end: (name, attributes, error) => {
          span.updateName(name).setAttributes(attributes);
          if (error !== undefined) fail(span, error);
          span.end();
        },
      };
    },
    span: async (name, attributes, work) => {
      const parent = active.getStore();
      if (parent === undefined) return work();
      const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent);
      try {
        return await active.run(trace.setSpan(parent, span), work);
      } catch (error) {
        fail(span, kindOf(error));
        throw error;
      } finally {
        span.end();
      }
    },
    stop: () => provider.shutdown(),
  };
}

/** The variables' attributes (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) take precedence over the defaults. */
function resourceOf(version: string) {
  const ours = resourceFromAttributes({ 'service.name': 'gatehouse', 'service.version': version });
  return ours.merge(detectResources({ detectors: [envDetector] }));
}

function fail(span: Span, kind: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', kind);
}

/** Leaves out the message, because it may contain text that a caller sent. */
function kindOf(error: unknown): string {
  if (error instanceof GatehouseError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

const quietMs = 60_000;

/** Logs failed batches at most once a minute, for example when the collector can't be reached. */
function listenToComplaints({ clock, logger }: SdkOptions): void {
  let toldAt = Number.NEGATIVE_INFINITY;
  setGlobalErrorHandler((error) => {
    if (clock.now() - toldAt < quietMs) return;
    toldAt = clock.now();
    logger.warn({ err: error }, 'spans could not be sent and are lost');
  });
  const complain = (detail: string) => logger.warn({ detail }, 'the tracing library complains');
  const silent = () => {};
  diag.setLogger(
    { error: complain, warn: complain, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
