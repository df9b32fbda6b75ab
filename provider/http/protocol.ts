import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatehouseError } from '../lib/errors.ts';
import { readFormBody, replayBody, sendEmpty, sendText } from '../lib/message-body.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { Route } from './route-rows.ts';
import { nothingThere, type Serve } from './routes.ts';

export interface ProtocolDeps {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Answers an introspection request without the library; undefined where the library has to answer. */
  introspect(request: IncomingMessage, body: Buffer): Promise<object | undefined>;
  /** Rewrites the body of an introspection or revocation request so that the library accepts JWTs. */
  wrapTokenParameter(request: IncomingMessage, body: Buffer): void;
  /** Treats an empty secret of a public client as none; returns the body for the library. */
  moveEmptySecret(request: IncomingMessage, body: Buffer): Buffer;
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
export function serveProtocol(deps: ProtocolDeps): Serve {
  return async (request, response, { route }) => {
    if (route === undefined || (route.feature === 'deviceFlow' && !deps.deviceFlow)) throw nothingThere();
    if (request.method === 'GET') requireShort(queryOf(request), route);
    if (route.body === 'query') return redirectToGet(request, response, deps, route);
    if (route.kind === 'protocol') {
      // Errors are JSON too, whatever format the caller prefers (RFC 6749 §5.2).
      request.headers.accept = 'application/json';
      response.setHeader('Cache-Control', 'no-store');
    }
    const answer = route.body === 'library' ? await readOrAnswer(request, deps, route) : undefined;
    response.setHeader('Content-Security-Policy', pagePolicy);
    response.setHeader('X-Frame-Options', 'DENY');
    response.setHeader('Referrer-Policy', 'no-referrer');
    if (answer === undefined) return handOver(request, response, deps);
    // The library sets the same for a program that is no browser.
    response.setHeader('Vary', 'Origin');
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'WWW-Authenticate');
    sendText(response, 200, JSON.stringify(answer));
  };
}

const queryOf = ({ url = '' }: IncomingMessage) => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');

/**
 * Calls the library. If it fails, our code sends the error response. The headers that the library had already set are
 * removed, because they may contain a code, for example.
 */
async function handOver(
  request: IncomingMessage,
  response: ServerResponse,
  { handle }: ProtocolDeps,
): Promise<void> {
  const headers = response.getHeaders();
  try {
    await handle(request, response);
  } catch (error) {
    if (response.headersSent) throw error;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined) response.setHeader(name, value);
    throw error;
  }
}

/** The library does not read a larger body, and its error does not give the reason. */
const mostForLibrary = 56 * 1024;

/**
 * Our code reads the body, so that an unreadable body gets the same error message everywhere.
 * @returns the answer, if the library is not needed; otherwise the library reads the body after this
 */
async function readOrAnswer(
  req: IncomingMessage,
  deps: ProtocolDeps,
  route: Route,
): Promise<object | undefined> {
  const received = await readFormBody(req, Math.min(deps.bodyLimitBytes, mostForLibrary));
  requireShort(received, route);
  const body = deps.moveEmptySecret(req, received);
  const answer = route.label === '/oauth2/introspect' ? await deps.introspect(req, body) : undefined;
  if (answer !== undefined) return answer;
  if (route.label === '/oauth2/introspect' || route.label === '/oauth2/revoke')
    deps.wrapTokenParameter(req, body);
  else replayBody(req, body);
  return undefined;
}

/** How a client authenticates itself (RFC 6749 §2.3.1, RFC 7521 §4.2). It is not stored. */
const credentials = new Set(['client_secret', 'client_assertion', 'client_assertion_type']);

/**
 * The length of the parameters as they are stored: as JSON, in UTF-8. Credentials of a client do not count.
 *
 * @param form the parameters as a query or a form, `application/x-www-form-urlencoded`
 */
export function parametersLength(form: string): { all: number; longest: string; longestBytes: number } {
  const counted = { all: 0, longest: '', longestBytes: 0 };
  for (const [name, value] of new URLSearchParams(form)) {
    if (credentials.has(name)) continue;
    const bytes = Buffer.byteLength(JSON.stringify([name, value]));
    counted.all += bytes;
    if (bytes > counted.longestBytes) Object.assign(counted, { longest: name, longestBytes: bytes });
  }
  return counted;
}

/** @throws GatehouseError `payload_too_large` (RFC 9126 §2.3), which names the longest parameter */
function requireShort(form: string | Buffer, { mostParameterBytes }: Route): void {
  if (mostParameterBytes === undefined) return;
  const { all, longest, longestBytes } = parametersLength(form.toString());
  if (all <= mostParameterBytes) return;
  const name = /^\w{1,40}$/.test(longest) ? longest : 'an unknown one';
  throw new GatehouseError(
    'payload_too_large',
    `The parameters have ${all} bytes; at most ${mostParameterBytes} are accepted. The longest is ${name} with ${longestBytes} bytes. Send a shorter value.`,
  );
}

/**
 * The authorization and logout endpoints accept forms too (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). The
 * browser sends a form from another site without our `SameSite=Lax` cookies. So the request is redirected to the same
 * request by GET, which includes the cookies.
 */
async function redirectToGet(
  request: IncomingMessage,
  response: ServerResponse,
  { bodyLimitBytes, issuer }: ProtocolDeps,
  route: Route,
): Promise<void> {
  const form = (await readFormBody(request, bodyLimitBytes)).toString('utf8');
  requireShort(form, route);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Location', `${issuer}${route.label}?${new URLSearchParams(form)}`);
  sendEmpty(response, 303);
}

/** Headers that may occur only once. Node drops the second one, but a server in front of us may have used it. */
const once = new Set(['host', 'authorization', 'content-type']);

/** RFC 3986 §3.2.2, §3.2.3; empty is allowed (RFC 9112 §3.2). */
const hostAndPort = /^([\w.~!$&'()*+,;=%-]*|\[[\dA-Fa-f:.]+\])(:\d*)?$/;

const forwarded = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
];

/** Makes requests unambiguous. */
export interface RequestNormaliser {
  /**
   * Refuses ambiguous requests, then rewrites the request's headers with values that we know. The issuer decides every
   * URL that we print, whatever the Host header or the forwarded headers contain (DESIGN §6.5). These headers are
   * replaced before the library sees the request, because the library builds its URLs from them. The issuer's path is
   * removed from the request's path, unless a gateway removed it already. In both cases the library gets the full path
   * as `originalUrl`, for the URLs that it builds.
   */
  normalise(request: IncomingMessage): void;
  /** The target below the issuer's path, which a gateway may have removed already. */
  targetOf(target: string): string;
}

export function requestNormaliser(issuer: string): RequestNormaliser {
  const { host, protocol, pathname } = new URL(issuer);
  const prefix = pathname === '/' ? '' : pathname;
  const withoutPrefix = (target: string) => {
    if (!target.startsWith(prefix)) return target;
    const below = target.slice(prefix.length);
    if (below.startsWith('/')) return below;
    return below === '' || below.startsWith('?') ? `/${below}` : target;
  };
  const normalise = (req: IncomingMessage) => {
    refuseAmbiguous(req);
    // An absolute request target (RFC 9112 §3.2.2) would let the sender choose the host.
    if (!req.url?.startsWith('/')) throw refused('Send a path, not an absolute URL.');
    for (const name of forwarded) delete req.headers[name];
    req.headers.host = host;
    req.headers['x-forwarded-host'] = host;
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    const address = currentRequestScope()?.clientAddress;
    if (address !== undefined) req.headers['x-forwarded-for'] = address;
    if (prefix === '') return;
    const target = afterPrefix(req.url, prefix);
    const below = withoutPrefix(target);
    Object.assign(req, { originalUrl: below === target ? `${prefix}${target}` : target, url: below });
  };
  const targetOf = (target: string) => (prefix === '' ? target : withoutPrefix(afterPrefix(target, prefix)));
  return { normalise, targetOf };
}

const discoveryPaths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];

/**
 * Metadata of an issuer with a path has two addresses: OpenID Connect Discovery §4 puts the well-known name after that
 * path, RFC 8414 §3.1 before it. This converts the second form to the first.
 */
function afterPrefix(target: string, prefix: string): string {
  const path = target.split('?', 1)[0] ?? '';
  const name = discoveryPaths.find((discovery) => path === `${discovery}${prefix}`);
  return name === undefined ? target : `${prefix}${name}${target.slice(path.length)}`;
}

/**
 * Refuses a request that a load balancer or gateway in front of us may have interpreted differently than we do. (Node's
 * parser refuses a body with two lengths.)
 * @throws GatehouseError `invalid_request`
 */
function refuseAmbiguous(req: IncomingMessage): void {
  const seen = new Set<string>();
  for (let index = 0; index < req.rawHeaders.length; index += 2) {
    const name = (req.rawHeaders[index] ?? '').toLowerCase();
    if (once.has(name) && seen.has(name)) throw refused(`Send the header ${name} once.`);
    seen.add(name);
  }
  // RFC 9112 §3.2 requires 400. The host is only checked here; it is not used, because the issuer's host replaces it.
  if (!hostAndPort.test(req.headers.host ?? '')) throw refused('The header Host names no host.');
  if (req.httpVersion === '1.1' && !seen.has('host')) throw refused('The header Host is missing.');
}

const refused = (message: string) => new GatehouseError('invalid_request', message);
