import {
  accessTokenOf,
  checkRouteOptions,
  type RouteOptions,
  refusalOf,
  rememberToken,
} from './accepted-tokens.ts';
import type { Verifier } from './verifier.ts';

export { accessTokenOf, type RouteOptions };

/** The parts of Koa 2 and 3 that are used here. */
export interface KoaContext {
  method: string;
  url: string;
  headers: { authorization?: string | undefined };
  status: number;
  body: unknown;
  set(headers: Record<string, string>): unknown;
}

/**
 * A middleware that lets only requests with an access token pass. It answers all others itself, and also the refusals of
 * `requireScopes`, `requirePermissions` and `require` behind it. Behind it, `accessTokenOf(ctx)` returns the token.
 */
export function requireAccessToken(verifier: Verifier, options: RouteOptions<KoaContext> = {}) {
  checkRouteOptions(options);
  return async (ctx: KoaContext, next: () => Promise<unknown>): Promise<void> => {
    try {
      rememberToken(ctx, await verifier.verifyHeader(ctx.headers.authorization, options));
      await next();
    } catch (error) {
      const { status, headers, body } = refusalOf(error, ctx, options);
      ctx.status = status;
      ctx.body = body;
      ctx.set(headers);
    }
  };
}
