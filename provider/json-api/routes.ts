import Router from '@koa/router';
import type { Context } from 'koa';
import { readJson } from '../lib/request-body.ts';
import type { Endpoint } from './endpoint.ts';
import { fromProtocolError } from './protocol-errors.ts';
import { bearerTokenOf } from './verify.ts';

export interface JsonApiRouteDeps extends AllowOriginDeps {
  endpoints: readonly Endpoint[];
  bodyLimitBytes: number;
}

/**
 * Routes the JSON API. It never sets or reads a cookie; CORS answers registered origins, without credentials (DESIGN
 * §4).
 */
export function jsonApiRoutes(deps: JsonApiRouteDeps): Router {
  // Paths must match exactly. Otherwise a caller could avoid a limit by path, here or in a proxy, with another
  // spelling.
  const router = new Router({ sensitive: true, strict: true });
  for (const definition of deps.endpoints) {
    router.options(definition.path, (ctx) => preflight(ctx, definition, deps));
    router[definition.method](definition.path, async (ctx) => {
      allowReading(ctx, deps);
      ctx.set('Cache-Control', 'no-store');
      const answer = await answerOf(ctx, definition, deps.bodyLimitBytes);
      ctx.status = definition.success.status;
      if (answer !== undefined) ctx.body = answer;
    });
  }
  return router;
}

async function answerOf(ctx: Context, definition: Endpoint, bodyLimitBytes: number): Promise<unknown> {
  const body = definition.body ? await readJson(ctx.req, definition.body, bodyLimitBytes) : undefined;
  try {
    return await definition.handle({
      request: ctx.req,
      response: ctx.res,
      body,
      bearer: definition.security ? bearerTokenOf(ctx.get('Authorization')) : '',
    });
  } catch (error) {
    throw fromProtocolError(error);
  }
}

function allowReading(ctx: Context, deps: JsonApiRouteDeps): boolean {
  if (!allowOrigin(ctx, deps)) return false;
  ctx.set('Access-Control-Expose-Headers', 'Retry-After, WWW-Authenticate, X-Request-Id');
  return true;
}

function preflight(ctx: Context, definition: Endpoint, deps: JsonApiRouteDeps): void {
  ctx.status = 204;
  if (!allowReading(ctx, deps)) return;
  ctx.set('Access-Control-Allow-Methods', definition.method.toUpperCase());
  ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, DPoP');
  ctx.set('Access-Control-Max-Age', '3600');
}

export interface AllowOriginDeps {
  /** Whether the document of a public client lists this origin. */
  isAllowedOrigin(origin: string): boolean;
}

/**
 * Lets a page of a registered origin read the response (CORS, DESIGN §4). It never allows credentials.
 * @returns whether the request comes from a registered origin
 */
export function allowOrigin(ctx: Context, { isAllowedOrigin }: AllowOriginDeps): boolean {
  ctx.vary('Origin');
  const origin = ctx.get('Origin');
  if (origin === '' || !isAllowedOrigin(origin)) return false;
  ctx.set('Access-Control-Allow-Origin', origin);
  return true;
}
