import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { AddressRange } from '../config/addresses.ts';
import { forwardedFor } from './forwarded-header.ts';

export interface ClientAddressDeps {
  trustedProxies: readonly AddressRange[];
  /** The header the proxies write; the other one is ignored. */
  header: 'x-forwarded-for' | 'forwarded';
  /** Called for each request that carries forwarded headers from an address that isn't trusted. */
  ignored(): void;
}

/**
 * @returns a function that tells who sent a request: the nearest address that isn't one of our proxies, or the
 *   connection's own. Forwarded headers of anybody else are ignored: whoever writes them could be anyone they like.
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

/** Behind load balancers it is the same few that connect, and looking one up takes longer than routing the request. */
function remembered(isTrusted: (address: string) => boolean): (address: string) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    const answer = known.get(address) ?? isTrusted(address);
    if (known.size >= mostRemembered) known.clear();
    known.set(address, answer);
    return answer;
  };
}

/** An IPv4 address that came over an IPv6 socket, as IPv4. */
const plain = (address: string | undefined) => address?.replace(/^::ffff:(?=\d+\.)/i, '');

/** The addresses of the header, nearest first; it ends where one can't be read. */
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
