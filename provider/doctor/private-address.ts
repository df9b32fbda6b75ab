import { BlockList, isIP } from 'node:net';

/** Addresses that can't be reached from the internet (RFC 6890). */
const blocks = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  blocks.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  blocks.addSubnet(network, prefix, 'ipv6');

/** Whether an IP address is private, link-local or loopback. False for text that is no address. */
export function isPrivateAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const kind = isIP(plain);
  return kind !== 0 && blocks.check(plain, kind === 4 ? 'ipv4' : 'ipv6');
}
