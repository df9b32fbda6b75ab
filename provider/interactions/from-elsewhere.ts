import type { Context } from 'koa';

/**
 * Whether a form was sent by a page that isn't ours. Browsers say where from, by one header or the other (Fetch §3.2,
 * Fetch Metadata §2.1); who says nothing isn't refused here.
 */
export function isFromElsewhere(issuer: string, ctx: Pick<Context, 'get'>): boolean {
  const origin = ctx.get('Origin');
  const site = ctx.get('Sec-Fetch-Site');
  return (origin !== '' && origin !== new URL(issuer).origin) || !['', 'none', 'same-origin'].includes(site);
}
