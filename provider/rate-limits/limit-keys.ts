import { isIPv4, isIPv6 } from 'node:net';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Action, By } from './rules.ts';

/** Names what is counted. The store gets a keyed hash, so a copy of it shows neither addresses nor accounts. */
export type LimitKeys = (action: Action, by: By, ...what: string[]) => string;

export function createLimitKeys(keys: Pick<ServerKeys, 'lookupHashes'>): LimitKeys {
  // Only under the newest secret: when that is replaced, counting starts again.
  return (action, by, ...what) => keys.lookupHashes('limit', JSON.stringify([action, by, ...what]))[0];
}

/** Where a request comes from, as it is counted. */
export interface ClientNetwork {
  address: string;
  network: string;
}

/**
 * An IPv4 address is counted by itself and by its /24. One household has an IPv6 /64 and changes within it, so the /64
 * counts as the address, and the /48 of a site as the network.
 * @param address undefined when the connection is gone: all of those are counted as one
 */
export function clientNetworkOf(address: string | undefined): ClientNetwork {
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
