import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import { GatehouseError } from '../lib/errors.ts';
import { readFormBody, replayBody } from '../lib/request-body.ts';

export interface ProtocolDeps {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Rewrites the body of an introspection or revocation so that the library takes JWTs. */
  wrapTokenParameter(request: IncomingMessage, body: Buffer): void;
  bodyLimitBytes: number;
  issuer: string;
  /** Whether devices can be let in. */
  deviceFlow: boolean;
}

/** What the library serves, and by which methods; anything else on these paths is ours to refuse. */
const served: { path: RegExp; methods: string[]; deviceFlow?: true }[] = [
  { path: /^\/oauth2\/(authorize|logout)$/, methods: ['GET', 'POST'] },
  { path: /^\/oauth2\/(authorize\/[^/]+|logout\/success)$/, methods: ['GET'] },
  { path: /^\/oauth2\/userinfo$/, methods: ['GET', 'POST', 'OPTIONS'] },
  { path: /^\/oauth2\/(token|introspect|revoke|par)$/, methods: ['POST', 'OPTIONS'] },
  { path: /^\/oauth2\/logout\/confirm$/, methods: ['POST'] },
  { path: /^\/oauth2\/device$/, methods: ['POST', 'OPTIONS'], deviceFlow: true },
  { path: /^\/device$/, methods: ['GET', 'POST'], deviceFlow: true },
  { path: /^\/device\/[^/]+$/, methods: ['GET'], deviceFlow: true },
  {
    path: /^\/\.well-known\/(openid-configuration|oauth-authorization-server)$/,
    methods: ['GET', 'HEAD', 'OPTIONS'],
  },
];

/** What only programs call, and so is never answered with a page. */
export const isForPrograms = (path: string): boolean =>
  /^\/oauth2\/(token|userinfo|introspect|revoke|par|device)$/.test(path);

/**
 * A page of the library's holds a form and no more. Scripts only by the hash it adds itself for form_post: to an empty
 * list, since beside 'none' browsers complain of it.
 */
const pagePolicy = "default-src 'none'; script-src; base-uri 'none'; frame-ancestors 'none'";

/** Hands the protocol's requests to the library. */
export function serveProtocol(deps: ProtocolDeps): Middleware {
  return async (ctx, next) => {
    const row = served.find(({ path }) => path.test(ctx.path));
    if (!row || (row.deviceFlow && !deps.deviceFlow)) return next();
    if (!row.methods.includes(ctx.method)) {
      ctx.set('Allow', row.methods.join(', '));
      throw new GatehouseError('method_not_allowed', `Use ${row.methods.join(' or ')} here.`);
    }
    if (ctx.method === 'POST' && /^\/oauth2\/(authorize|logout)$/.test(ctx.path))
      return redirectToGet(ctx, deps);
    if (isForPrograms(ctx.path)) {
      // Whatever the caller prefers to read: errors are JSON too (RFC 6749 §5.2).
      ctx.req.headers.accept = 'application/json';
      ctx.set('Cache-Control', 'no-store');
    }
    if (ctx.method === 'POST') await readForLibrary(ctx, deps);
    ctx.set('Content-Security-Policy', pagePolicy);
    ctx.set('X-Frame-Options', 'DENY');
    ctx.set('Referrer-Policy', 'no-referrer');
    await handedOver(ctx, deps);
  };
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
async function readForLibrary({ path, req }: Context, deps: ProtocolDeps): Promise<void> {
  const body = await readFormBody(req, Math.min(deps.bodyLimitBytes, mostForLibrary));
  if (/^\/oauth2\/(introspect|revoke)$/.test(path)) deps.wrapTokenParameter(req, body);
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
