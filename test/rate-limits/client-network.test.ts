import { expect, test } from '@jest/globals';
import { clientNetworkOf } from '../../provider/rate-limits/counters.ts';

test.each([
  ['192.0.2.60', '192.0.2.60', '192.0.2.0/24'],
  ['::ffff:192.0.2.60', '192.0.2.60', '192.0.2.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8:0:0::/64', '2001:db8:0::/48'],
  ['2001:db8:1::', '2001:db8:1:0::/64', '2001:db8:1::/48'],
  ['::1', '0:0:0:0::/64', '0:0:0::/48'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::/48'],
  ['64:ff9b::192.0.2.60', '64:ff9b:0:0::/64', '64:ff9b:0::/48'],
  ['unix:', 'unknown', 'unknown'],
  [undefined, 'unknown', 'unknown'],
])('%s counts as address %s in network %s', (address, own, network) => {
  expect(clientNetworkOf(address)).toEqual({ address: own, network });
});
