import {
  accessTokenOf,
  checkRouteOptions,
  type RouteOptions,
  refusalOf,
  rememberToken,
} from './accepted-tokens.ts';
import type { Verifier } from './verifier.ts';

export { accessTokenOf, type RouteOptions };

/** The parts of Express 4 and 5 that are used here. `node:http` and Connect have them too. */
export interface ExpressRequest {
  method: string;
  url: string;
  headers: { authorization?: string | undefined };
}
export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}
type Next = (error?: unknown) => void;

/**
 * A middleware that lets only requests with an access token pass. It answers all others itself. Behind it,
 * `accessTokenOf(request)` returns the token.
 */
export function requireAccessToken(verifier: Verifier, options: RouteOptions<ExpressRequest> = {}) {
  checkRouteOptions(options);
  return (request: ExpressRequest, response: ExpressResponse, next: Next): void => {
    verifier
      .verifyHeader(request.headers.authorization, options)
      .then((token) => rememberToken(request, token))
      .then(
        () => next(),
        (error: unknown) => answer(error, request, response, next, options),
      );
  };
}

/**
 * An error handler for `app.use`, after the routes. It answers the refusals of `requireScopes`, `requirePermissions` and
 * `require`, when a route calls them. All other errors go to the next handler.
 */
export function handleRefusals(options: Pick<RouteOptions<ExpressRequest>, 'onRefusal'> = {}) {
  return (error: unknown, request: ExpressRequest, response: ExpressResponse, next: Next): void =>
    answer(error, request, response, next, options);
}

function answer(
  error: unknown,
  request: ExpressRequest,
  response: ExpressResponse,
  next: Next,
  options: RouteOptions<ExpressRequest>,
): void {
  try {
    const { status, headers, body } = refusalOf(error, request, options);
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end(body);
  } catch (other) {
    next(other);
  }
}
