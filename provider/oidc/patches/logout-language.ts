import type { Middleware } from 'koa';

/**
 * Takes the language that the logout page was asked for in (RP-Initiated Logout §2, `ui_locales`) along to the page that
 * says it is done: the session that could hold it is gone by then. The logout page's form has it in its address.
 */
export const keepLogoutLanguage: Middleware = async (ctx, next) => {
  await next();
  const { ui_locales: language } = ctx.query;
  if (ctx.oidc?.route !== 'end_session_confirm' || typeof language !== 'string') return;
  const to = ctx.response.get('Location');
  if (!to || to.split('?')[0] !== ctx.oidc.urlFor('end_session_success')) return;
  const url = new URL(to);
  url.searchParams.set('ui_locales', language);
  ctx.set('Location', url.href);
};
