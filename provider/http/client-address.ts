import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { AddressRange } from '../config/addresses.ts';
import { forwardedFor } from './forwarded-header.ts';

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
