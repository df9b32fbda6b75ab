import { isIP } from 'node:net';
import { value } from './values.ts';

/** A range of addresses in the form that `net.BlockList.addSubnet` takes. */
export interface AddressRange {
  address: string;
  prefix: number;
  family: 'ipv4' | 'ipv6';
}

function parseRange(text: string): AddressRange | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const bits = version === 4 ? 32 : 128;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined;
  const length = prefix === undefined ? bits : Number(prefix);
  // A prefix of 0 matches every address. Then any caller could claim any address.
  if (length < 1 || length > bits) return undefined;
  return { address, prefix: length, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Addresses and ranges in CIDR notation (RFC 4632), separated by commas or spaces. */
export function addressRanges() {
  const allowed = 'addresses or ranges separated by commas, such as 10.0.0.0/8, fd00::/8 (not everybody: /0)';
  return value(allowed, (text): AddressRange[] | undefined => {
    const ranges = text
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .map(parseRange);
    return ranges.every((range) => range !== undefined) ? ranges : undefined;
  });
}

/** Hosts and ranges of addresses in a private network. */
export interface PrivateDestinations {
  /** In lower case. */
  hosts: string[];
  ranges: AddressRange[];
}

const hostName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/** Host names, addresses and ranges in CIDR notation, separated by commas or spaces. */
export function privateDestinations() {
  const allowed =
    'host names, addresses or ranges separated by commas, such as keys.internal.example.com, 10.0.0.0/16';
  return value(allowed, (text): PrivateDestinations | undefined => {
    const destinations: PrivateDestinations = { hosts: [], ranges: [] };
    for (const part of text.toLowerCase().split(/[\s,]+/)) {
      if (part === '') continue;
      const range = parseRange(part);
      // A name whose last label is a number would be read as an address by URL parsers.
      const isName = hostName.test(part) && !/(^|\.)\d+$/.test(part);
      if (range) destinations.ranges.push(range);
      else if (isName) destinations.hosts.push(part);
      else return undefined;
    }
    return destinations;
  });
}

/** Whole host names, and `*.example.com` for every host below a name; separated by commas or spaces. */
export function hostPatterns() {
  const allowed = 'host names separated by commas; *.example.com stands for every host below example.com';
  return value(allowed, (text): string[] | undefined => {
    const patterns = text
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((part) => part !== '');
    const isPattern = (part: string) => {
      const name = part.startsWith('*.') ? part.slice(2) : part;
      // A name without a dot is not a public one. With `*.com` anybody could have a host.
      return hostName.test(name) && name.includes('.') && !/\.\d+$/.test(name);
    };
    return patterns.every(isPattern) ? patterns : undefined;
  });
}
