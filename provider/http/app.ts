import type Router from '@koa/router';
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

/** The public listener's application: middleware in order, then the routes of our own, then the protocol. */
export function createApp(deps: AppDeps): Koa {
  const app = new Koa();
  app.on('error', deps.onError);
  for (const middleware of deps.first) app.use(middleware);
  for (const router of deps.routers) {
    app.use(router.routes());
    app.use(router.allowedMethods());
  }
  app.use(deps.protocol);
  return app;
}
