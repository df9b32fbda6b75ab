import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa, { type Context } from 'koa';
import { type ErrorCode, GatehouseError } from '../lib/errors.ts';
import { discardRest, sendText } from '../lib/message-body.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { Matched } from './routes.ts';

interface ErrorLogger {
  error(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface ErrorAnswerDeps {
  logger: ErrorLogger;
  /** Answers with the error page. */
  sendErrorPage(ctx: Context, error: { code: string; message: string; status: number }): void;
}

/**
 * Answers a request with an error, unless its response has begun.
 * @param ctx of the page that failed: it may know the language of the person
 */
export type AnswerError = (
  request: IncomingMessage,
  response: ServerResponse,
  matched: Matched,
  error: unknown,
  ctx?: Context,
) => Promise<void>;

/**
 * The only place that turns an error into a response. A person gets a page, and a program gets a problem document (RFC
 * 9457). The protocol's endpoints use the protocol's own format (RFC 6749 §5.2). Errors that aren't meant for callers
 * are logged and answered as `internal_error`.
 */
export function createErrorAnswers({ logger, sendErrorPage }: ErrorAnswerDeps): AnswerError {
  // For the page of a request that no page served.
  const koa = new Koa();
  return async (request, response, { rows }, cause, page) => {
    const error = reported(cause, logger);
    if (error.code === 'payload_too_large') await discardRest(request);
    if (response.headersSent) return void response.end();
    for (const [name, value] of Object.entries(headersOf(request.headers.authorization ?? '', error)))
      response.setHeader(name, value);
    const kind = rows[0]?.kind ?? (/^\/(auth|user)\//.test(request.url ?? '') ? 'api' : 'page');
    if (kind === 'protocol') return sendProtocolError(response, error);
    const ctx = kind === 'api' ? undefined : (page ?? koa.createContext(request, response));
    if (ctx?.accepts('json', 'html') !== 'html')
      return sendText(response, error.status, problemOf(error), 'application/problem+json');
    sendErrorPage(ctx, error);
    response.end(ctx.body);
  };
}

/** The error for the caller. What only the operator may know is logged. */
function reported(cause: unknown, logger: ErrorLogger): GatehouseError {
  const error = toGatehouseError(cause);
  if (error.code === 'internal_error') logger.error({ err: cause }, 'request failed');
  if (error.code === 'store_unavailable') logger.warn({ err: error.cause }, 'store not reached');
  return error;
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
function sendProtocolError(response: ServerResponse, error: GatehouseError): void {
  // RFC 6749 defines no error for too many requests. Such a caller gets the error code of a busy server, but with
  // status 429.
  const ours = error.status >= 500 || error.status === 429;
  const told = error.code === 'internal_error' ? 'server_error' : 'temporarily_unavailable';
  // The library does the same here: the developer of a single-page app should be able to read the error.
  response.setHeader('Access-Control-Allow-Origin', '*');
  const body = {
    error: ours ? told : protocolCodes.has(error.code) ? error.code : 'invalid_request',
    error_description: error.message.replaceAll('’', "'"),
  };
  sendText(response, error.status, JSON.stringify(body));
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
