import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import { type ErrorCode, GatehouseError } from '../lib/errors.ts';
import { discardRest } from '../lib/request-body.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import { routeOf } from './routes.ts';

interface ErrorLogger {
  error(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface ErrorHandlerDeps {
  logger: ErrorLogger;
  /** Answers with the error page. */
  sendErrorPage(ctx: Context, error: { code: string; message: string; status: number }): void;
}

/**
 * The only place that turns an error into a response. A person gets a page, and a program gets a problem document (RFC
 * 9457). The protocol's endpoints use the protocol's own format (RFC 6749 §5.2). Errors that aren't meant for callers
 * are logged and answered as `internal_error`.
 */
export function handleErrors(deps: ErrorHandlerDeps): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.respond !== false && ctx.body === undefined) refuseUnanswered(ctx);
    } catch (cause) {
      const error = reported(cause, deps.logger);
      if (error.code === 'payload_too_large') await discardRest(ctx.req);
      if (ctx.headerSent) return;
      answer(ctx, deps, error);
    }
  };
}

/** Answers an error of an endpoint that Koa does not serve, with a problem document. */
export function sendPlainProblem(logger: ErrorLogger) {
  return ({ headers }: IncomingMessage, response: ServerResponse, cause: unknown): void => {
    const error = reported(cause, logger);
    if (response.headersSent) return;
    for (const [name, value] of Object.entries(headersOf(headers.authorization ?? '', error)))
      response.setHeader(name, value);
    const body = problemOf(error);
    response.setHeader('Content-Type', problemType);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.statusCode = error.status;
    response.end(body);
  };
}

/** The error for the caller. What only the operator may know is logged. */
function reported(cause: unknown, logger: ErrorLogger): GatehouseError {
  const error = toGatehouseError(cause);
  if (error.code === 'internal_error') logger.error({ err: cause }, 'request failed');
  if (error.code === 'store_unavailable') logger.warn({ err: error.cause }, 'store not reached');
  return error;
}

/**
 * Throws an error for a request that no route answered. For a wrong method the router has already set the status and
 * `Allow`.
 */
function refuseUnanswered(ctx: Context): void {
  if (ctx.status === 404) throw new GatehouseError('not_found', 'There is nothing at this address.');
  if (ctx.status === 405 || ctx.status === 501)
    throw new GatehouseError('method_not_allowed', `Use ${ctx.response.get('Allow')} here.`);
}

/** Errors of Koa and the router have a status. Every unknown error counts as a server error. */
function toGatehouseError(cause: unknown): GatehouseError {
  if (cause instanceof GatehouseError) return cause;
  // The library wraps errors that our code throws. This unwraps them.
  const beneath = (cause as { cause?: unknown } | undefined)?.cause;
  if (beneath instanceof GatehouseError) return beneath;
  const { status, expose } = (cause ?? {}) as { status?: number; expose?: boolean };
  const known: Record<number, ErrorCode> = {
    404: 'not_found',
    405: 'method_not_allowed',
    413: 'payload_too_large',
  };
  if (expose && status !== undefined && status < 500)
    return new GatehouseError(known[status] ?? 'invalid_request', 'The request can’t be understood.', {
      cause,
    });
  return new GatehouseError('internal_error', 'Something went wrong on our side.', { cause });
}

function answer(ctx: Context, deps: ErrorHandlerDeps, error: GatehouseError): void {
  ctx.set(headersOf(ctx.get('Authorization'), error));
  const kind = routeOf(ctx).rows[0]?.kind ?? (/^\/(auth|user)\//.test(ctx.path) ? 'api' : 'page');
  if (kind === 'protocol') sendProtocolError(ctx, error);
  else if (kind !== 'api' && ctx.accepts('json', 'html') === 'html') deps.sendErrorPage(ctx, error);
  else sendProblem(ctx, error);
}

/** @param authorization the request's header; '' when it is missing */
function headersOf(authorization: string, error: GatehouseError): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds);
  if (error.code === 'payload_too_large') headers.Connection = 'close';
  if (challenged.has(error.code)) headers['WWW-Authenticate'] = challenge(authorization, error);
  return headers;
}

/** The refusals of an access token (RFC 6750 §3.1, RFC 9470 §3). */
const challenged = new Set<ErrorCode>([
  'invalid_token',
  'insufficient_scope',
  'insufficient_user_authentication',
]);

/** RFC 6750 §3: when the request has no token, or sends it in another way, the response names only the scheme. */
function challenge(authorization: string, error: GatehouseError): string {
  if (!/^bearer\b/i.test(authorization)) return 'Bearer';
  const needed = Object.entries(error.challenge).map(([name, value]) => `, ${name}="${value}"`);
  return `Bearer error="${error.code}", error_description="${error.message}"${needed.join('')}`;
}

/** Codes that RFC 7591 §3.2.2 and RFC 6750 §3.1 define too. */
const protocolCodes = new Set(['invalid_client_metadata', 'invalid_redirect_uri', 'invalid_token']);

/** The error format of RFC 6749 §5.2, in ASCII. Callers of the protocol's endpoints can read no other format. */
function sendProtocolError(ctx: Context, error: GatehouseError): void {
  // RFC 6749 defines no error for too many requests. Such a caller gets the error code of a busy server, but with
  // status 429.
  const ours = error.status >= 500 || error.status === 429;
  const told = error.code === 'internal_error' ? 'server_error' : 'temporarily_unavailable';
  ctx.status = error.status;
  // The library does the same here: the developer of a single-page app should be able to read the error.
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.body = {
    error: ours ? told : protocolCodes.has(error.code) ? error.code : 'invalid_request',
    error_description: error.message.replaceAll('’', "'"),
  };
}

const problemType = 'application/problem+json';

function sendProblem(ctx: Context, error: GatehouseError): void {
  ctx.status = error.status;
  ctx.type = problemType;
  ctx.body = problemOf(error);
}

function problemOf(error: GatehouseError): string {
  return JSON.stringify({
    type: `urn:gatehouse:problem:${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status: error.status,
    detail: error.message,
    code: error.code,
    requestId: currentRequestScope()?.requestId,
    errors: error.fields,
    ...error.members,
  });
}
