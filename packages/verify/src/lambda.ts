import { checkRouteOptions, type RouteOptions, refusalOf } from './accepted-tokens.ts';
import type { AccessToken } from './access-token.ts';
import type { Verifier } from './verifier.ts';
import { VerifyError } from './verify-error.ts';

export type { RouteOptions };

/** The parts of an event that are used here: HTTP API with payload format 1.0 or 2.0, and REST API. */
export interface ApiEvent {
  headers?: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
  requestContext?: object;
}

/** The answer to a refused request, in the form of both payload formats. */
export interface RefusalResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** A handler that also gets the access token of the request. */
export type ProtectedHandler<Event, Context, Result> = (
  event: Event,
  token: AccessToken,
  context: Context,
) => Result | Promise<Result>;

/**
 * Wraps a handler, which is called only for requests with an access token. The function checks the token of the header
 * `Authorization` itself, so that it also works without an authorizer. It answers refused requests, and the refusals of
 * `requireScopes`, `requirePermissions` and `require` in the handler.
 */
export function requireAccessToken<Event extends ApiEvent, Context, Result>(
  verifier: Verifier,
  options: RouteOptions<Event>,
  handler: ProtectedHandler<Event, Context, Result>,
) {
  return protect(options, handler, (event: Event) => verifier.verifyHeader(authorizationOf(event), options));
}

/**
 * The same, but with the claims that the JWT authorizer of the API has checked. This reads no keys. A function that is called
 * without the authorizer answers 401.
 */
export function requireAuthorizerClaims<Event extends ApiEvent, Context, Result>(
  verifier: Verifier,
  options: RouteOptions<Event>,
  handler: ProtectedHandler<Event, Context, Result>,
) {
  return protect(options, handler, (event: Event) =>
    verifier.acceptAuthorizerClaims(claimsOf(event), options, authorizationOf(event)),
  );
}

function protect<Event extends ApiEvent, Context, Result>(
  options: RouteOptions<Event>,
  handler: ProtectedHandler<Event, Context, Result>,
  check: (event: Event) => Promise<AccessToken>,
) {
  checkRouteOptions(options);
  return async (event: Event, context: Context): Promise<Result | RefusalResult> => {
    try {
      return await handler(event, await check(event), context);
    } catch (error) {
      const { status: statusCode, headers, body } = refusalOf(error, event, options);
      return { statusCode, headers, body };
    }
  };
}

/** Format 1.0 keeps the names of headers as they were sent; format 2.0 has them in lower case. */
function authorizationOf({ headers, multiValueHeaders }: ApiEvent): string | undefined {
  const valuesOf = <Value>(all: Record<string, Value> | null | undefined) =>
    Object.entries(all ?? {}).flatMap(([name, value]) => (/^authorization$/i.test(name) ? [value] : []));
  const single = valuesOf(headers);
  // The authorizer may have checked another one than the last, which `headers` has.
  if (single.length > 1 || valuesOf(multiValueHeaders).flat().length > 1)
    throw new VerifyError('invalid_token', 'The request has more than one header Authorization.');
  return single[0];
}

interface AuthorizerContext {
  authorizer?: { jwt?: { claims?: Record<string, unknown> }; claims?: Record<string, unknown> } | null;
}

function claimsOf({ requestContext }: ApiEvent): Record<string, unknown> | undefined {
  const { authorizer } = (requestContext ?? {}) as AuthorizerContext;
  return authorizer?.jwt?.claims ?? authorizer?.claims;
}
