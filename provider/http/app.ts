import type { RequestListener, ServerResponse } from 'node:http';
import Router from '@koa/router';
import Koa, { type Context } from 'koa';
import { GatehouseError } from '../lib/errors.ts';
import type { PlainHandler } from '../lib/message-body.ts';
import type { AnswerError } from './error-handler.ts';
import type { RequestNormaliser } from './protocol.ts';
import type { InScope } from './request-context.ts';
import type { Route } from './route-rows.ts';
import { type Matched, matchRoute, nothingThere, type Serve } from './routes.ts';

export interface AppDeps {
  inScope: InScope;
  normaliser: RequestNormaliser;
  /** Counts the request by the limit of its row. */
  limit: Serve;
  /** The endpoints that programs call, by their labels. No framework serves them. */
  plain: Readonly<Record<string, PlainHandler>>;
  /** The library's endpoints. */
  protocol: Serve;
  /** All others: the pages, their files, and the registration of clients. */
  pages: readonly Router[];
  answerError: AnswerError;
  /** Called with an error when no response could be sent. */
  onError(error: unknown): void;
}

/** What a listener serves. */
export interface App {
  callback(): RequestListener;
}

/**
 * The public listener's application: the same few steps for every request, then the handler of its row in the table of
 * routes. Only pages run in an application of Koa of their own; the library is one too.
 */
export function createApp(deps: AppDeps): App {
  const { inScope, normaliser, limit, plain, answerError, onError } = deps;
  const pages = servePages(deps);
  const handlerOf = (response: ServerResponse, { label, route, rows }: Matched) => {
    if (rows.length === 0) throw nothingThere();
    const handler = plain[label] ?? (rows[0]?.servedBy === 'library' ? deps.protocol : undefined);
    if (handler && !route) throw wrongMethod(response, rows);
    return handler ?? pages;
  };
  const listener: RequestListener = (request, response) => {
    const matched = matchRoute(request.method ?? '', normaliser.targetOf(request.url ?? ''));
    inScope(request, response, matched.label, async () => {
      try {
        normaliser.normalise(request);
        await limit(request, response, matched);
        await handlerOf(response, matched)(request, response, matched);
      } catch (error) {
        await answerError(request, response, matched, error);
      }
    }).catch((error: unknown) => {
      onError(error);
      response.destroy();
    });
  };
  return { callback: () => listener };
}

/** All of our pages are in one router, because each separate router would cost every request two steps. */
function servePages({ pages, answerError, onError }: AppDeps): Serve {
  const app = new Koa();
  app.on('error', onError);
  app.use(async (ctx, next) => {
    try {
      await next();
      if (ctx.respond !== false && ctx.body === undefined) refuseUnanswered(ctx);
    } catch (error) {
      ctx.respond = false;
      await answerError(ctx.req, ctx.res, matchRoute(ctx.method, ctx.path), error, ctx);
    }
    // Koa says `text/plain`, but an empty response has no media type (RFC 9110 §8.3).
    if (ctx.body === '') ctx.remove('Content-Type');
  });
  const all = new Router();
  for (const router of pages) all.use(router.routes());
  app.use(all.routes());
  app.use(all.allowedMethods());
  return app.callback();
}

function wrongMethod(response: ServerResponse, rows: readonly Route[]): GatehouseError {
  const methods = rows.flatMap((row) => row.methods);
  response.setHeader('Allow', methods.join(', '));
  return new GatehouseError('method_not_allowed', `Use ${methods.join(' or ')} here.`);
}

/**
 * Throws an error for a request that no route answered. For a wrong method the router has already set the status and
 * `Allow`.
 */
function refuseUnanswered(ctx: Context): void {
  if (ctx.status === 404) throw nothingThere();
  if (ctx.status === 405 || ctx.status === 501)
    throw new GatehouseError('method_not_allowed', `Use ${ctx.response.get('Allow')} here.`);
}
