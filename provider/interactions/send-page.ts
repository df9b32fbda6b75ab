import type { Context } from 'koa';
import { pageHeaders } from './page-headers.ts';

/**
 * Answers with a page.
 * @param redirectsTo addresses a post of the page's form may lead to
 */
export function sendPage(
  ctx: Pick<Context, 'set' | 'status' | 'type' | 'body'>,
  html: string,
  options: { status?: number; redirectsTo?: readonly string[] } = {},
): void {
  ctx.set(pageHeaders({ formAction: options.redirectsTo ?? [] }));
  ctx.status = options.status ?? 200;
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = html;
}
