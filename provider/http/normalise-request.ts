import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { GatehouseError } from '../lib/errors.ts';

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

/**
 * Refuses ambiguous requests, then rewrites the request's headers with values that we know. The issuer decides every
 * URL that we print, whatever the Host header or the forwarded headers contain (DESIGN §6.5). These headers are
 * replaced before the library sees the request, because the library builds its URLs from them. The issuer's path is
 * removed from the request's path, unless a gateway removed it already. In both cases the library gets the full path as
 * `originalUrl`, for the URLs that it builds.
 * @param addressOf the client's address, for `X-Forwarded-For`
 */
export function normaliseRequest(issuer: string, addressOf: () => string | undefined): Middleware {
  const { host, protocol, pathname } = new URL(issuer);
  const prefix = pathname === '/' ? '' : pathname;
  return async ({ req }, next) => {
    refuseAmbiguous(req);
    // An absolute request target (RFC 9112 §3.2.2) would let the sender choose the host.
    if (!req.url?.startsWith('/')) throw refused('Send a path, not an absolute URL.');
    for (const name of forwarded) delete req.headers[name];
    req.headers.host = host;
    req.headers['x-forwarded-host'] = host;
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    const address = addressOf();
    if (address !== undefined) req.headers['x-forwarded-for'] = address;
    const below = prefix !== '' && req.url.startsWith(prefix) ? req.url.slice(prefix.length) : undefined;
    if (below !== undefined && /^([/?]|$)/.test(below)) {
      Object.assign(req, { originalUrl: req.url });
      req.url = below.startsWith('/') ? below : `/${below}`;
    } else if (prefix !== '') Object.assign(req, { originalUrl: `${prefix}${req.url}` });
    await next();
  };
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
