import type { Middleware } from 'koa';

/** What every answer carries. Pages add their own, stricter ones. */
export function setSecurityHeaders(issuer: string): Middleware {
  const isHttps = issuer.startsWith('https:');
  return async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff');
    if (isHttps) ctx.set('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    await next();
  };
}
