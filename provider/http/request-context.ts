import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Clock } from '../lib/clock.ts';
import { randomToken } from '../lib/ids.ts';
import { runInRequestScope } from '../lib/request-scope.ts';
import { routeOf } from './route-of.ts';

export interface RequestContextDeps {
  clock: Clock;
  clientAddress(request: IncomingMessage): string | undefined;
  logger: { info(fields: Record<string, unknown>, message: string): void };
  metrics: {
    httpRequests: { inc(labels: { route: string; method: string; status: string }): void };
    httpRequestDuration: { observe(seconds: number, labels: { route: string; method: string }): void };
  };
}

const methods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

/** Gives each request an id that its log lines, its errors and its answer carry; logs and counts it when it is over. */
export function scopeRequest(deps: RequestContextDeps): Middleware {
  return async (ctx, next) => {
    const requestId = randomToken(12);
    const startedAt = deps.clock.now();
    const userAgent = ctx.get('User-Agent').slice(0, 512) || undefined;
    const scope = { requestId, clientAddress: deps.clientAddress(ctx.req), userAgent };
    const method = methods.has(ctx.method) ? ctx.method : 'other';
    ctx.set('X-Request-Id', requestId);
    ctx.res.once('close', () => {
      const milliseconds = deps.clock.now() - startedAt;
      // Not sooner: an issuer's path is taken off on the way.
      const route = routeOf(ctx.path);
      const status = ctx.res.writableFinished ? String(ctx.res.statusCode) : 'aborted';
      deps.metrics.httpRequests.inc({ route, method, status });
      deps.metrics.httpRequestDuration.observe(milliseconds / 1000, { route, method });
      const { clientAddress } = scope;
      deps.logger.info({ requestId, method, route, status, milliseconds, clientAddress }, 'request');
    });
    await runInRequestScope(scope, next);
  };
}
