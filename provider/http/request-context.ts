import type { IncomingMessage, ServerResponse } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { AddressRange } from '../config/addresses.ts';
import type { Clock } from '../lib/clock.ts';
import { passingId } from '../lib/ids.ts';
import { type RequestScope, runInRequestScope, shortUserAgent } from '../lib/request-scope.ts';
import type { Tracing } from '../lib/tracing.ts';
import { forwardedFor } from './forwarded-header.ts';

export interface RequestContextDeps {
  /** The issuer's URL. It decides whether the HSTS header is sent. */
  issuer: string;
  clock: Clock;
  clientAddress(request: IncomingMessage): string | undefined;
  logger: { info(fields: Record<string, unknown>, message: string): void };
  metrics: {
    httpRequests: { inc(labels: { route: string; method: string; status: string }): void };
    httpRequestDuration: { observe(seconds: number, labels: { route: string; method: string }): void };
  };
  /** Undefined when tracing is off. */
  tracing?: Tracing | undefined;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

/**
 * The policy for responses that are not pages. A browser that displays one loads nothing, runs nothing, and doesn't
 * show it in a frame.
 */
export const dataPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Runs `work` for one request. @param route the label of its route */
export type InScope = (
  request: IncomingMessage,
  response: ServerResponse,
  route: string,
  work: () => Promise<void>,
) => Promise<void>;

/**
 * Gives each request an id. The request's log lines, errors and response carry this id. Sets the security headers of
 * every response; pages replace the policy with their own. Logs, counts and traces the request when it ends.
 */
export function createRequestScopes(deps: RequestContextDeps): InScope {
  const isHttps = deps.issuer.startsWith('https:');
  return (request, response, route, work) => {
    const requestId = passingId();
    const startedAt = deps.clock.now();
    const span = deps.tracing?.startRequest(request.headers);
    const clientAddress = deps.clientAddress(request);
    const userAgent = shortUserAgent(request.headers['user-agent'] ?? '');
    const scope: RequestScope = { requestId, clientAddress, userAgent, traceId: span?.traceId };
    const method = methods.has(request.method ?? '') ? String(request.method) : 'other';
    response.setHeader('X-Request-Id', requestId);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Content-Security-Policy', dataPolicy);
    response.setHeader('Referrer-Policy', 'no-referrer');
    if (isHttps) response.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
    response.once('close', () => {
      const milliseconds = deps.clock.now() - startedAt;
      const status = response.writableFinished ? String(response.statusCode) : 'aborted';
      deps.metrics.httpRequests.inc({ route, method, status });
      deps.metrics.httpRequestDuration.observe(milliseconds / 1000, { route, method });
      span?.end(`${method} ${route}`, attributesOf(method, route, status), errorOf(status));
      runInRequestScope(scope, () =>
        deps.logger.info({ method, route, status, milliseconds, clientAddress }, 'request'),
      );
    });
    return runInRequestScope(scope, () => (span ? span.run(work) : work()));
  };
}

/** Attributes that follow OpenTelemetry's conventions for HTTP servers. */
function attributesOf(method: string, route: string, status: string) {
  const known = { 'http.request.method': method === 'other' ? '_OTHER' : method, 'http.route': route };
  return status === 'aborted' ? known : { ...known, 'http.response.status_code': Number(status) };
}

/** An error that the caller caused does not mark the trace as failed. */
const errorOf = (status: string) => (status === 'aborted' || status >= '500' ? status : undefined);

export interface ClientAddressDeps {
  trustedProxies: readonly AddressRange[];
  /** The header that the proxies write. The other header is ignored. */
  header: 'x-forwarded-for' | 'forwarded';
  /** Called for each request that carries forwarded headers from an address that isn't trusted. */
  ignored(): void;
}

/**
 * @returns a function that gives the client address of a request: the nearest address that isn't one of our proxies, or
 *   else the connection's own address. Forwarded headers from any other sender are ignored, because that sender could
 *   write any address in them.
 */
export function clientAddress(deps: ClientAddressDeps): (request: IncomingMessage) => string | undefined {
  const trusted = new BlockList();
  for (const { address, prefix, family } of deps.trustedProxies) trusted.addSubnet(address, prefix, family);
  const isTrusted = (address: string) =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  const isTrustedPeer = remembered(isTrusted);
  return (request) => {
    const peer = plain(request.socket.remoteAddress);
    const claimed = request.headers['x-forwarded-for'] ?? request.headers.forwarded;
    if (peer === undefined) return undefined;
    if (!isTrustedPeer(peer)) {
      if (claimed !== undefined) deps.ignored();
      return peer;
    }
    const hops = hopsOf(request, deps.header);
    return hops.find((hop) => !isTrusted(hop)) ?? hops.at(-1) ?? peer;
  };
}

const mostRemembered = 1000;

/**
 * A cache is used because the same few load balancers connect again and again, and a lookup takes longer than routing
 * the request.
 */
function remembered(isTrusted: (address: string) => boolean): (address: string) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    const answer = known.get(address) ?? isTrusted(address);
    if (known.size >= mostRemembered) known.clear();
    known.set(address, answer);
    return answer;
  };
}

/** Converts an IPv4 address that arrived over an IPv6 socket to IPv4 form. */
const plain = (address: string | undefined) => address?.replace(/^::ffff:(?=\d+\.)/i, '');

/** Returns the addresses of the header, nearest first. The list ends at the first address that can't be parsed. */
function hopsOf(request: IncomingMessage, header: ClientAddressDeps['header']): string[] {
  const text = [request.headers[header] ?? []].flat().join(',');
  const readable: string[] = [];
  for (const value of header === 'forwarded' ? forwardedFor(text) : text.split(',').reverse()) {
    const address = plain(withoutPort(value.trim()));
    if (!address || isIP(address) === 0) break;
    readable.push(address);
  }
  return readable;
}

const withoutPort = (text: string) =>
  /^\[(?<v6>[^\]]+)\](?::\d+)?$/.exec(text)?.groups?.v6 ??
  /^(?<v4>\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.groups?.v4 ??
  text;
