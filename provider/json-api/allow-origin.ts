import type { Context } from 'koa';

export interface AllowOriginDeps {
  /** Whether the document of a public client lists this origin. */
  isAllowedOrigin(origin: string): boolean;
}

/**
 * Lets a page of a registered origin read the response (CORS, DESIGN §4). It never allows credentials.
 * @returns whether the request comes from a registered origin
 */
export function allowOrigin(ctx: Context, { isAllowedOrigin }: AllowOriginDeps): boolean {
  ctx.vary('Origin');
  const origin = ctx.get('Origin');
  if (origin === '' || !isAllowedOrigin(origin)) return false;
  ctx.set('Access-Control-Allow-Origin', origin);
  return true;
}
