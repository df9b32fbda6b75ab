import type { Context } from 'koa';
import { pageHeaders } from './page-headers.ts';
import type { Page } from './render.ts';

/**
 * Answers with a page.
 * @param redirectsTo addresses a post of the page's form may lead to
 */
export function sendPage(
  ctx: Pick<Context, 'set' | 'vary' | 'status' | 'type' | 'body'>,
  page: Page,
  options: { status?: number; redirectsTo?: readonly string[] } = {},
): void {
  ctx.set(pageHeaders({ formAction: options.redirectsTo ?? [] }));
  ctx.set('Content-Language', page.language);
  // The request's `ui_locales` is in its address or its session: the header is what else decides.
  ctx.vary('Accept-Language');
  ctx.status = options.status ?? 200;
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = page.html;
}
