import Router from '@koa/router';
import Koa, { type Middleware } from 'koa';

export interface AppDeps {
  /** Before anything else, in this order: request scope, errors, issuer. */
  first: readonly Middleware[];
  routers: readonly Router[];
  /** The library's endpoints. */
  protocol: Middleware;
  /** For what Koa itself reports: an answer that couldn't be sent. */
  onError(error: unknown): void;
}

/**
 * The public listener's application: middleware in order, then the protocol, which is asked for most, then the routes of our
 * own. Those are looked through at once: each router by itself would cost every request two steps.
 */
export function createApp(deps: AppDeps): Koa {
  const app = new Koa();
  app.on('error', deps.onError);
  for (const middleware of deps.first) app.use(middleware);
  app.use(deps.protocol);
  const own = new Router();
  for (const router of deps.routers) own.use(router.routes());
  app.use(own.routes());
  app.use(own.allowedMethods());
  return app;
}
