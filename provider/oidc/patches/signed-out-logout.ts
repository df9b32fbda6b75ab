import type { Context } from 'koa';

/**
 * The library answers a logout in every browser with a form, and stores a session for it. If no person is signed
 * in, there is nothing to ask and nothing to store: the browser goes on at once (RP-Initiated Logout §3). The library has
 * checked the address where it goes.
 */
export function goOnWithoutSession(ctx: Context): void {
  if (ctx.oidc?.route !== 'end_session' || ctx.status !== 200 || ctx.oidc.session?.accountId) return;
  const { post_logout_redirect_uri: uri, state, ui_locales: language } = ctx.oidc.params ?? {};
  const url = new URL(typeof uri === 'string' ? uri : ctx.oidc.urlFor('end_session_success'));
  if (typeof uri === 'string' && typeof state === 'string') url.searchParams.set('state', state);
  if (uri === undefined && typeof language === 'string') url.searchParams.set('ui_locales', language);
  // The cookie of the session that is not stored.
  ctx.remove('Set-Cookie');
  ctx.status = 303;
  ctx.redirect(url.href);
}
