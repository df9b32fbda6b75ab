import type { Context } from 'koa';
import { pageHeaders } from './page-headers.ts';
import type { Page } from './render.ts';

/**
 * Sends a page as the response.
 * @param options.redirectsTo the addresses that a post of the page's form may be redirected to
 * @param options.hidesAddress whether the address of the page holds a token
 */
export function sendPage(
  ctx: Pick<Context, 'set' | 'vary' | 'status' | 'type' | 'body'>,
  page: Page,
  options: { status?: number; redirectsTo?: readonly string[]; hidesAddress?: boolean } = {},
): void {
  ctx.set(
    pageHeaders({
      formAction: options.redirectsTo ?? [],
      hidesAddress: options.hidesAddress,
      hasScript: page.hasScript,
    }),
  );
  ctx.set('Content-Language', page.language);
  // `ui_locales` is part of the request's address or session. Apart from it, only this header decides the language.
  ctx.vary('Accept-Language');
  ctx.status = options.status ?? 200;
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = page.html;
}
