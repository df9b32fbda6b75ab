import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Clock } from '../lib/clock.ts';
import { passingId } from '../lib/ids.ts';
import { type RequestScope, runInRequestScope } from '../lib/request-scope.ts';
import type { Tracing } from '../lib/tracing.ts';
import { routeOf } from './route-of.ts';

export interface RequestContextDeps {
  clock: Clock;
  clientAddress(request: IncomingMessage): string | undefined;
  logger: { info(fields: Record<string, unknown>, message: string): void };
  metrics: {
    httpRequests: { inc(labels: { route: string; method: string; status: string }): void };
    httpRequestDuration: { observe(seconds: number, labels: { route: string; method: string }): void };
  };
  /** Left out where traces are off. */
  tracing?: Tracing | undefined;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

/**
 * Gives each request an id that its log lines, its errors and its answer carry; logs, counts and traces it when it is
 * over.
 */
export function scopeRequest(deps: RequestContextDeps): Middleware {
  return async (ctx, next) => {
    const requestId = passingId();
    const startedAt = deps.clock.now();
    const span = deps.tracing?.startRequest(ctx.headers);
    const clientAddress = deps.clientAddress(ctx.req);
    const userAgent = shortened(ctx.get('User-Agent')) || undefined;
    const scope: RequestScope = { requestId, clientAddress, userAgent, traceId: span?.traceId };
    const method = methods.has(ctx.method) ? ctx.method : 'other';
    ctx.set('X-Request-Id', requestId);
    ctx.res.once('close', () => {
      const milliseconds = deps.clock.now() - startedAt;
      // Not sooner: an issuer's path is taken off on the way.
      const route = routeOf(ctx.path);
      const status = ctx.res.writableFinished ? String(ctx.res.statusCode) : 'aborted';
      deps.metrics.httpRequests.inc({ route, method, status });
      deps.metrics.httpRequestDuration.observe(milliseconds / 1000, { route, method });
      span?.end(`${method} ${route}`, attributesOf(method, route, status), errorOf(status));
      runInRequestScope(scope, () =>
        deps.logger.info({ method, route, status, milliseconds, clientAddress }, 'request'),
      );
    });
    await runInRequestScope(scope, () => (span ? span.run(next) : next()));
  };
}

/** At most 512 characters, by code points, so that no character is cut in two. */
const shortened = (text: string) => (text.length <= 512 ? text : Array.from(text).slice(0, 512).join(''));

/** By OpenTelemetry's conventions for HTTP servers. */
function attributesOf(method: string, route: string, status: string) {
  const known = { 'http.request.method': method === 'other' ? '_OTHER' : method, 'http.route': route };
  return status === 'aborted' ? known : { ...known, 'http.response.status_code': Number(status) };
}

/** A caller's mistake is no failure of the server. */
const errorOf = (status: string) => (status === 'aborted' || status >= '500' ? status : undefined);
