import {
  accessTokenOf,
  checkRouteOptions,
  type RouteOptions,
  refusalOf,
  rememberToken,
} from './accepted-tokens.ts';
import type { Verifier } from './verifier.ts';

export { accessTokenOf, type RouteOptions };

/** The parts of Fastify 4 and 5 that are used here. */
export interface FastifyRequest {
  method: string;
  url: string;
  headers: { authorization?: string | undefined };
}
export interface FastifyReply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

/**
 * A hook for `onRequest` or `preHandler`, of one route or of all. It lets only requests with an access token pass, and
 * answers all others itself. Behind it, `accessTokenOf(request)` returns the token.
 */
export function requireAccessToken(verifier: Verifier, options: RouteOptions<FastifyRequest> = {}) {
  checkRouteOptions(options);
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    try {
      rememberToken(request, await verifier.verifyHeader(request.headers.authorization, options));
      return undefined;
    } catch (error) {
      return answer(error, request, reply, options);
    }
  };
}

/**
 * An error handler for `app.setErrorHandler`. It answers the refusals of `requireScopes`, `requirePermissions` and `require`,
 * when a route calls them. All other errors go to Fastify's own handler.
 */
export function handleRefusals(options: Pick<RouteOptions<FastifyRequest>, 'onRefusal'> = {}) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
    answer(error, request, reply, options);
}

function answer(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  options: RouteOptions<FastifyRequest>,
): unknown {
  const { status, headers, body } = refusalOf(error, request, options);
  reply.code(status);
  reply.headers(headers);
  return reply.send(body);
}
