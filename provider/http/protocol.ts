import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import { GatehouseError } from '../lib/errors.ts';
import { readFormBody, replayBody } from '../lib/request-body.ts';
import { type Route, routeOf } from './routes.ts';

export interface ProtocolDeps {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Rewrites the body of an introspection or revocation so that the library takes JWTs. */
  wrapTokenParameter(request: IncomingMessage, body: Buffer): void;
  bodyLimitBytes: number;
  issuer: string;
  /** Whether devices can be let in. */
  deviceFlow: boolean;
}

/**
 * A page of the library's holds a form and no more. Scripts only by the hash it adds itself for form_post: to an empty
 * list, since beside 'none' browsers complain of it.
 */
const pagePolicy = "default-src 'none'; script-src; base-uri 'none'; frame-ancestors 'none'";

/** Hands the protocol's requests to the library. */
export function serveProtocol(deps: ProtocolDeps): Middleware {
  return async (ctx, next) => {
    const { label, route, rows } = routeOf(ctx);
    const [row] = rows;
    if (row?.servedBy !== 'library' || (row.feature === 'deviceFlow' && !deps.deviceFlow)) return next();
    if (route === undefined) throw wrongMethod(ctx, rows);
    if (route.body === 'query') return redirectToGet(ctx, deps);
    if (route.kind === 'protocol') {
      // Whatever the caller prefers to read: errors are JSON too (RFC 6749 §5.2).
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

/** What fails in the library's hands is ours to answer, without what it had meant to send: a code, for one. */
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

/** More than this the library wouldn't read, and say no more than that it can't. */
const mostForLibrary = 56 * 1024;

/** Bodies are read by us, so that one which can't be is told in the same words everywhere. */
async function readForLibrary({ req }: Context, deps: ProtocolDeps, label: string): Promise<void> {
  const body = await readFormBody(req, Math.min(deps.bodyLimitBytes, mostForLibrary));
  if (label === '/oauth2/introspect' || label === '/oauth2/revoke') deps.wrapTokenParameter(req, body);
  else replayBody(req, body);
}

/** What a request line may hold once a form became a query; more than any real request needs. */
const longestQuery = 8 * 1024;

/**
 * The authorization and logout endpoints take forms too (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). A form from
 * another site comes without our `SameSite=Lax` cookies, so it is turned into the same request by GET, which has them.
 */
async function redirectToGet(ctx: Context, { bodyLimitBytes, issuer }: ProtocolDeps): Promise<void> {
  const body = await readFormBody(ctx.req, bodyLimitBytes);
  if (body.length > longestQuery)
    throw new GatehouseError('payload_too_large', 'Use pushed authorization requests for one this long.');
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(`${issuer}${ctx.path}?${new URLSearchParams(body.toString('utf8'))}`);
}
