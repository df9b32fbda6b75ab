import type { Middleware } from 'koa';

/**
 * A device may show an address with its code in it (RFC 8628 §3.3.1). The library answers that with a page that posts
 * itself by a script; here the form has the code in it, and the person sends it. So the library isn't told of it.
 */
export const prefillUserCode: Middleware = async (ctx, next) => {
  if (ctx.path === '/device' && ctx.method === 'GET') {
    const { user_code: userCode, ...others } = ctx.query;
    ctx.state.userCode = userCode;
    ctx.query = others;
  }
  await next();
};
