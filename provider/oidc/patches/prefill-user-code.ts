import type { Context } from 'koa';

/**
 * A device may show an address that contains its code (RFC 8628 §3.3.1). The library would answer with a page that posts
 * itself by a script. Here the form is filled with the code and the person sends it, so the parameter is removed before
 * the library sees the request.
 */
export function prefillUserCode(ctx: Context): void {
  if (ctx.path !== '/device' || ctx.method !== 'GET') return;
  const { user_code: userCode, ...others } = ctx.query;
  ctx.state.userCode = userCode;
  ctx.query = others;
}
