import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import { GatehouseError } from '../lib/errors.ts';
import { readFormBody, replayBody } from '../lib/request-body.ts';
import { type Route, routeOf } from './routes.ts';

export interface ProtocolDeps {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Rewrites the body of an introspection or revocation request so that the library accepts JWTs. */
  wrapTokenParameter(request: IncomingMessage, body: Buffer): void;
  bodyLimitBytes: number;
  issuer: string;
  /** Whether the device flow is switched on. */
  deviceFlow: boolean;
}

/**
 * The policy for the library's pages, which contain only a form. Scripts are allowed only by the hash that the library
 * adds for form_post. It adds the hash to an empty list, because browsers report a warning when a hash is beside
 * 'none'.
 */
const pagePolicy = "default-src 'none'; script-src; base-uri 'none'; frame-ancestors 'none'";

/** Passes the protocol's requests to the library. */
export function serveProtocol(deps: ProtocolDeps): Middleware {
  return async (ctx, next) => {
    const { label, route, rows } = routeOf(ctx);
    const [row] = rows;
    if (row?.servedBy !== 'library' || (row.feature === 'deviceFlow' && !deps.deviceFlow)) return next();
    if (route === undefined) throw wrongMethod(ctx, rows);
    if (route.body === 'query') return redirectToGet(ctx, deps);
    if (route.kind === 'protocol') {
      // Errors are JSON too, whatever format the caller prefers (RFC 6749 §5.2).
      ctx.req.headers.accept = 'application/json';
      ctx.set('Cache-Control', 'no-store');
    }
    if (route.body === 'library') await readForLibrary(ctx, deps, label);
    ctx.set('Content-Security-Policy', pagePolicy);
    ctx.set('X-Frame-Options', 'DENY');
    ctx.set('Referrer-Policy', 'no-referrer');
    await handedOver(ctx, deps);
  };
}

function wrongMethod(ctx: Context, rows: readonly Route[]): GatehouseError {
  const methods = rows.flatMap((row) => row.methods);
  ctx.set('Allow', methods.join(', '));
  return new GatehouseError('method_not_allowed', `Use ${methods.join(' or ')} here.`);
}

/**
 * Calls the library. If it fails, our code sends the error response. The headers that the library had already set are
 * removed, because they may contain a code, for example.
 */
async function handedOver(ctx: Context, { handle }: ProtocolDeps): Promise<void> {
  const headers = ctx.res.getHeaders();
  ctx.respond = false;
  try {
    await handle(ctx.req, ctx.res);
  } catch (error) {
    ctx.respond = true;
    if (ctx.headerSent) throw error;
    for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name);
    ctx.set(headers as Record<string, string>);
    throw error;
  }
}

/** The library does not read a larger body, and its error does not give the reason. */
const mostForLibrary = 56 * 1024;

/** Our code reads the body, so that an unreadable body gets the same error message everywhere. */
async function readForLibrary({ req }: Context, deps: ProtocolDeps, label: string): Promise<void> {
  const body = await readFormBody(req, Math.min(deps.bodyLimitBytes, mostForLibrary));
  if (label === '/oauth2/introspect' || label === '/oauth2/revoke') deps.wrapTokenParameter(req, body);
  else replayBody(req, body);
}

/** The maximum length of a query that was made from a form. Real requests are shorter. */
const longestQuery = 8 * 1024;

/**
 * The authorization and logout endpoints accept forms too (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). The
 * browser sends a form from another site without our `SameSite=Lax` cookies. So the request is redirected to the same
 * request by GET, which includes the cookies.
 */
async function redirectToGet(ctx: Context, { bodyLimitBytes, issuer }: ProtocolDeps): Promise<void> {
  const body = await readFormBody(ctx.req, bodyLimitBytes);
  if (body.length > longestQuery)
    throw new GatehouseError('payload_too_large', 'Use pushed authorization requests for one this long.');
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(`${issuer}${ctx.path}?${new URLSearchParams(body.toString('utf8'))}`);
}
