import type { IncomingMessage, ServerResponse } from 'node:http';
import { type PlainHandler, readJson, sendEmpty, sendText } from '../lib/message-body.ts';
import type { Endpoint } from './endpoint.ts';
import { fromProtocolError } from './protocol-errors.ts';
import { bearerTokenOf } from './verify.ts';

export interface JsonApiHandlerDeps extends AllowOriginDeps {
  endpoints: readonly Endpoint[];
  bodyLimitBytes: number;
}

/**
 * The handlers of the JSON API, by their paths. They never set or read a cookie; CORS answers registered origins, without
 * credentials (DESIGN §4).
 */
export function jsonApiHandlers(deps: JsonApiHandlerDeps): Record<string, PlainHandler> {
  return Object.fromEntries(deps.endpoints.map((endpoint) => [endpoint.path, handlerOf(endpoint, deps)]));
}

function handlerOf(endpoint: Endpoint, deps: JsonApiHandlerDeps): PlainHandler {
  return async (request, response) => {
    const mayRead = allowOrigin(request, response, deps);
    if (request.method === 'OPTIONS') return preflight(response, endpoint, mayRead);
    if (mayRead) allowHeaders(response);
    response.setHeader('Cache-Control', 'no-store');
    const answer = await answerOf(request, response, endpoint, deps.bodyLimitBytes);
    if (answer === undefined) sendEmpty(response, endpoint.success.status);
    else sendText(response, endpoint.success.status, JSON.stringify(answer));
  };
}

async function answerOf(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: Endpoint,
  bodyLimitBytes: number,
): Promise<unknown> {
  const body = endpoint.body ? await readJson(request, endpoint.body, bodyLimitBytes) : undefined;
  const bearer = endpoint.security ? bearerTokenOf(request.headers.authorization ?? '') : '';
  try {
    return await endpoint.handle({ request, response, body, bearer });
  } catch (error) {
    throw fromProtocolError(error);
  }
}

function allowHeaders(response: ServerResponse): void {
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After, WWW-Authenticate, X-Request-Id');
}

function preflight(response: ServerResponse, { method }: Endpoint, mayRead: boolean): void {
  if (mayRead) {
    allowHeaders(response);
    response.setHeader('Access-Control-Allow-Methods', method.toUpperCase());
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, DPoP');
    response.setHeader('Access-Control-Max-Age', '3600');
  }
  sendEmpty(response, 204);
}

export interface AllowOriginDeps {
  /** Whether the document of a public client lists this origin. */
  isAllowedOrigin(origin: string): boolean;
}

/**
 * Lets a page of a registered origin read the response (CORS, DESIGN §4). It never allows credentials.
 * @returns whether the request comes from a registered origin
 */
export function allowOrigin(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  { isAllowedOrigin }: AllowOriginDeps,
): boolean {
  response.setHeader('Vary', 'Origin');
  if (!origin || !isAllowedOrigin(origin)) return false;
  response.setHeader('Access-Control-Allow-Origin', origin);
  return true;
}
