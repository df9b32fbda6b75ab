import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Clock } from '../lib/clock.ts';
import { passingId } from '../lib/ids.ts';
import { type RequestScope, runInRequestScope, shortUserAgent } from '../lib/request-scope.ts';
import type { Tracing } from '../lib/tracing.ts';
import { routeOf } from './routes.ts';

export interface RequestContextDeps {
  /** The issuer's URL. It decides whether the HSTS header is sent. */
  issuer: string;
  clock: Clock;
  clientAddress(request: IncomingMessage): string | undefined;
  logger: { info(fields: Record<string, unknown>, message: string): void };
  metrics: {
    httpRequests: { inc(labels: { route: string; method: string; status: string }): void };
    httpRequestDuration: { observe(seconds: number, labels: { route: string; method: string }): void };
  };
  /** Undefined when tracing is off. */
  tracing?: Tracing | undefined;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

/**
 * The policy for responses that are not pages. A browser that displays one loads nothing, runs nothing, and doesn't
 * show it in a frame.
 */
const dataPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/**
 * Gives each request an id. The request's log lines, errors and response carry this id. Sets the security headers of
 * every response; pages replace the policy with their own. Logs, counts and traces the request when it ends.
 */
export function scopeRequest(deps: RequestContextDeps): Middleware {
  const isHttps = deps.issuer.startsWith('https:');
  return async (ctx, next) => {
    const requestId = passingId();
    const startedAt = deps.clock.now();
    const span = deps.tracing?.startRequest(ctx.headers);
    const clientAddress = deps.clientAddress(ctx.req);
    const userAgent = shortUserAgent(ctx.get('User-Agent'));
    const scope: RequestScope = { requestId, clientAddress, userAgent, traceId: span?.traceId };
    const method = methods.has(ctx.method) ? ctx.method : 'other';
    ctx.set('X-Request-Id', requestId);
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Content-Security-Policy', dataPolicy);
    ctx.set('Referrer-Policy', 'no-referrer');
    if (isHttps) ctx.set('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    ctx.res.once('close', () => {
      const milliseconds = deps.clock.now() - startedAt;
      // This can't be done earlier, because the issuer's path is removed from the request's path in between.
      const { label: route } = routeOf(ctx);
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

/** Attributes that follow OpenTelemetry's conventions for HTTP servers. */
function attributesOf(method: string, route: string, status: string) {
  const known = { 'http.request.method': method === 'other' ? '_OTHER' : method, 'http.route': route };
  return status === 'aborted' ? known : { ...known, 'http.response.status_code': Number(status) };
}

/** An error that the caller caused does not mark the trace as failed. */
const errorOf = (status: string) => (status === 'aborted' || status >= '500' ? status : undefined);
