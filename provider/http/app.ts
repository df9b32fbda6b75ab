import type { RequestListener } from 'node:http';
import Router from '@koa/router';
import Koa, { type Middleware } from 'koa';

export interface AppDeps {
  /** Middleware that runs first, in this order: request scope, errors, issuer. */
  first: readonly Middleware[];
  routers: readonly Router[];
  /** Serves what no framework serves, and passes other requests on to the application. */
  plain(others: RequestListener): RequestListener;
  /** The library's endpoints. */
  protocol: Middleware;
  /** Logs errors that Koa itself reports, such as a response that couldn't be sent. */
  onError(error: unknown): void;
}

/** What a listener serves. */
export type App = Pick<Koa, 'callback'>;

/**
 * The public listener's application. The middleware runs first, in order. Then comes the protocol, which gets most
 * requests, and then our own routes. All of our routes are in one router, because each separate router would cost every
 * request two steps.
 */
export function createApp(deps: AppDeps): App {
  const app = new Koa();
  app.on('error', deps.onError);
  for (const middleware of deps.first) app.use(middleware);
  app.use(deps.protocol);
  const own = new Router();
  for (const router of deps.routers) own.use(router.routes());
  app.use(own.routes());
  app.use(own.allowedMethods());
  return { callback: () => deps.plain(app.callback()) as ReturnType<Koa['callback']> };
}
