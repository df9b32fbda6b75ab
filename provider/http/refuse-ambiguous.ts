import type { Middleware } from 'koa';
import { GatehouseError } from '../lib/errors.ts';

/** Where a second one is dropped without a word, so that a server before us may go by another one than we. */
const once = new Set(['host', 'authorization', 'content-type']);

/** RFC 3986 §3.2.2, §3.2.3; empty is allowed (RFC 9112 §3.2). */
const hostAndPort = /^([\w.~!$&'()*+,;=%-]*|\[[\dA-Fa-f:.]+\])(:\d*)?$/;

/**
 * Refuses what a load balancer or gateway before us may have read as another request than we would: it decided by what
 * it read. (Two lengths for one body are refused by Node's own parser.)
 */
export function refuseAmbiguous(): Middleware {
  return async ({ req }, next) => {
    const seen = new Set<string>();
    for (let index = 0; index < req.rawHeaders.length; index += 2) {
      const name = (req.rawHeaders[index] ?? '').toLowerCase();
      if (once.has(name) && seen.has(name)) throw refused(`Send the header ${name} once.`);
      seen.add(name);
    }
    // RFC 9112 §3.2 wants 400. What it names is of no further use: the issuer stands in its place.
    if (!hostAndPort.test(req.headers.host ?? '')) throw refused('The header Host names no host.');
    if (req.httpVersion === '1.1' && !seen.has('host')) throw refused('The header Host is missing.');
    await next();
  };
}

const refused = (message: string) => new GatehouseError('invalid_request', message);
