import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';

const failures = new WeakMap<IncomingMessage, { error: unknown }>();

/**
 * Keeps an error that the library throws outside its own error handling, for example when a session cannot be saved after
 * the endpoint has answered. Koa would send only a status in plain text.
 */
export const keepFailure: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    failures.set(ctx.req, { error });
    ctx.respond = false;
  }
};

/** Throws the error that was kept for this request, if there is one. */
export function throwKeptFailure(request: IncomingMessage): void {
  const failure = failures.get(request);
  if (failure) throw failure.error;
}
