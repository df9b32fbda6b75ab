import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';

const failures = new WeakMap<IncomingMessage, { error: unknown }>();

/**
 * Keeps what the library throws past its own error handling, as it does when a session can't be saved after the endpoint
 * has answered. Koa would send a bare status in plain text.
 */
export const keepFailure: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    failures.set(ctx.req, { error });
    ctx.respond = false;
  }
};

/** Throws what was kept for this request, if anything was. */
export function throwKeptFailure(request: IncomingMessage): void {
  const failure = failures.get(request);
  if (failure) throw failure.error;
}
