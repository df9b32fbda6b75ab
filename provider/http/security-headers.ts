import type { Middleware } from 'koa';

/** For what is no page: a browser that shows it all the same loads and runs nothing, and frames it nowhere. */
const dataPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** What every answer carries. Pages say instead what they need. */
export function setSecurityHeaders(issuer: string): Middleware {
  const isHttps = issuer.startsWith('https:');
  return async (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Content-Security-Policy', dataPolicy);
    ctx.set('Referrer-Policy', 'no-referrer');
    if (isHttps) ctx.set('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    await next();
  };
}
