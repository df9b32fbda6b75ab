import type { AccessToken } from './access-token.ts';
import { problemsOfRequirements, type Requirements } from './requirements.ts';
import { VerifyError } from './verify-error.ts';

/** What a route needs, and what to do when a request is refused. */
export interface RouteOptions<Request> extends Requirements {
  /** Is called for each refusal, before the answer is sent: for your log and metrics. `error.cause` has the details. */
  onRefusal?: ((error: VerifyError, request: Request) => void) | undefined;
}

/** @throws TypeError when the service starts, for options that no token could meet because they are written wrongly */
export function checkRouteOptions<Request>(options: RouteOptions<Request>): void {
  const problems = problemsOfRequirements(options);
  if (problems.length > 0) throw new TypeError(`requireAccessToken: ${problems.join(' ')}`);
}

/** The tokens of the requests that passed. A request that no adapter has checked has none. */
const accepted = new WeakMap<object, AccessToken>();

export const rememberToken = (request: object, token: AccessToken): void => {
  accepted.set(request, token);
};

/**
 * The access token of a request that `requireAccessToken` let pass.
 *
 * @throws Error if the route is not protected: this is a mistake in the service
 */
export function accessTokenOf(request: object): AccessToken {
  const token = accepted.get(request);
  if (token === undefined) throw new Error('This route has no requireAccessToken.');
  return token;
}

/** What a framework must send for a refusal. */
export interface RefusalResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** @throws the error itself if it is not a refusal: the framework handles it */
export function refusalOf<Request>(
  error: unknown,
  request: Request,
  { onRefusal }: RouteOptions<Request> = {},
): RefusalResponse {
  if (!(error instanceof VerifyError)) throw error;
  onRefusal?.(error, request);
  const headers = { ...error.headers, 'Content-Type': 'application/problem+json' };
  return { status: error.status, headers, body: JSON.stringify(error.toProblem()) };
}
