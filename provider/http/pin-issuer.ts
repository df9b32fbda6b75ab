import type { Middleware } from 'koa';
import { GatehouseError } from '../lib/errors.ts';

const forwarded = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
];

/**
 * The issuer decides every URL we print, whatever Host or forwarded headers say (DESIGN §6.5): they are replaced before
 * the library, which builds its URLs from them, sees a request. A path in the issuer is taken off the request's path,
 * where no gateway did; either way the library hears of it, for the URLs it builds.
 */
export function pinIssuer(issuer: string, addressOf: () => string | undefined): Middleware {
  const { host, protocol, pathname } = new URL(issuer);
  const prefix = pathname === '/' ? '' : pathname;
  return async (ctx, next) => {
    const { req } = ctx;
    // An absolute request target (RFC 9112 §3.2.2) would name a host of the sender's choice.
    if (!req.url?.startsWith('/'))
      throw new GatehouseError('invalid_request', 'Send a path, not an absolute URL.');
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
