import type { IncomingMessage, ServerResponse } from 'node:http';
import type Koa from 'koa';

/**
 * Makes a Koa application report its errors instead of answering them: Koa would send only a status in plain text.
 *
 * @returns a function that serves a request with the application. It rejects with the error of its middleware, with
 *   nothing sent. Call it when the application has all its middleware
 */
export function rejectingListener(
  app: Koa,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const failures = new WeakMap<IncomingMessage, { error: unknown }>();
  app.middleware.unshift(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      failures.set(ctx.req, { error });
      ctx.respond = false;
    }
  });
  const listener = app.callback();
  return async (request, response) => {
    await listener(request, response);
    const failure = failures.get(request);
    if (failure) throw failure.error;
  };
}
