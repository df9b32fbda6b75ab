import { isIPv4, isIPv6 } from 'node:net';

/** Where a request comes from, as it is counted. */
export interface Place {
  address: string;
  network: string;
}

/**
 * An IPv4 address counts by itself and by its /24. Of IPv6 a single household has a /64 and changes within it all day, so that
 * counts as the address; and the /48 that a site has, as the network.
 * @param address undefined when the connection is gone: all of those count as one
 */
export function clientNetworkOf(address: string | undefined): Place {
  const plain = (address ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain)) return { address: plain, network: `${plain.replace(/\.\d+$/, '.0')}/24` };
  if (!isIPv6(plain)) return { address: 'unknown', network: 'unknown' };
  const groups = groupsOf(plain);
  return { address: `${groups.slice(0, 4).join(':')}::/64`, network: `${groups.slice(0, 3).join(':')}::/48` };
}

/** The eight groups of an IPv6 address, without leading zeros (RFC 5952). */
function groupsOf(address: string): string[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [before = '', after] = canonical.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
}
