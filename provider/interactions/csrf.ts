import type { Context } from 'koa';
import type { ServerKeys } from '../lib/server-keys.ts';

const label = 'interaction form';

/**
 * The token that a form of this interaction carries. It proves that the form was drawn by us for this
 * interaction; the interaction's cookie, checked elsewhere, ties that to the browser.
 *
 * @param uid the interaction's id
 */
export function csrfToken(keys: Pick<ServerKeys, 'tag'>, uid: string): string {
  return keys.tag(label, uid);
}

/**
 * Whether `token` was made by `csrfToken` for this interaction, under any secret still in use. Compared in
 * constant time.
 *
 * @param token as it was posted; undefined when the field was missing
 */
export function checkCsrf(
  keys: Pick<ServerKeys, 'checkTag'>,
  uid: string,
  token: string | undefined,
): boolean {
  return token !== undefined && keys.checkTag(label, uid, token);
}

/**
 * Whether a page of another origin sent the form. Browsers report the origin in one of two headers (Fetch §3.2,
 * Fetch Metadata §2.1). A request without both headers passes: its CSRF token is checked in any case.
 */
export function isFromElsewhere(issuer: string, ctx: Pick<Context, 'get'>): boolean {
  const origin = ctx.get('Origin');
  const site = ctx.get('Sec-Fetch-Site');
  return (origin !== '' && origin !== new URL(issuer).origin) || !['', 'none', 'same-origin'].includes(site);
}
