import type { Context } from 'koa';

/**
 * Passes the language of the logout page (RP-Initiated Logout §2, `ui_locales`) on to the page that confirms the logout: the
 * session that could hold it is gone by then. The form of the logout page has it in its address.
 */
export function keepLogoutLanguage(ctx: Context): void {
  if (!['end_session', 'end_session_confirm'].includes(ctx.oidc?.route)) return;
  const { ui_locales: language } = ctx.query;
  if (typeof language !== 'string') return;
  const to = ctx.response.get('Location');
  if (!to || to.split('?')[0] !== ctx.oidc.urlFor('end_session_success')) return;
  const url = new URL(to);
  url.searchParams.set('ui_locales', language);
  ctx.set('Location', url.href);
}
