import type { Context } from 'koa';
import type { ServerKeys } from '../lib/server-keys.ts';

const label = 'interaction form';

/**
 * Returns the CSRF token for a form of this interaction. The token proves that our server rendered the form for this
 * interaction. The interaction's cookie, which is checked elsewhere, binds the interaction to the browser.
 *
 * @param uid the interaction's id
 */
export function csrfToken(keys: Pick<ServerKeys, 'tag'>, uid: string): string {
  return keys.tag(label, uid);
}

/**
 * Checks whether `csrfToken` made `token` for this interaction, with any secret that is still in use. The comparison
 * takes constant time.
 *
 * @param token the posted value; undefined when the field was missing
 */
export function checkCsrf(
  keys: Pick<ServerKeys, 'checkTag'>,
  uid: string,
  token: string | undefined,
): boolean {
  return token !== undefined && keys.checkTag(label, uid, token);
}

/**
 * Whether a page of another origin sent the form. Browsers report the origin in one of two headers (Fetch §3.2, Fetch
 * Metadata §2.1). A request without both headers is accepted here, because its CSRF token is checked in any case.
 */
export function isFromElsewhere(issuer: string, ctx: Pick<Context, 'get'>): boolean {
  const origin = ctx.get('Origin');
  const site = ctx.get('Sec-Fetch-Site');
  return (origin !== '' && origin !== new URL(issuer).origin) || !['', 'none', 'same-origin'].includes(site);
}
