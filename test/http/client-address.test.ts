import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { addressRanges } from '../../provider/config/addresses.ts';
import { clientAddress } from '../../provider/http/request-context.ts';

const trusted = '10.0.0.0/8, fd00::/8';

function addressOf(
  peer: string | undefined,
  headers: Record<string, string>,
  { proxies = trusted, header = 'x-forwarded-for' as 'x-forwarded-for' | 'forwarded' } = {},
) {
  let ignored = 0;
  const trustedProxies = addressRanges().parse(proxies);
  const read = clientAddress({ trustedProxies, header, ignored: () => (ignored += 1) });
  const address = read({ socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage);
  return { address, ignored };
}

describe('clientAddress', () => {
  test('returns the address of the connection if it is not a trusted proxy, and reports the ignored header', () => {
    const claim = { 'x-forwarded-for': '198.51.100.7' };
    expect(addressOf('203.0.113.5', claim)).toEqual({ address: '203.0.113.5', ignored: 1 });
    expect(addressOf('203.0.113.5', { forwarded: 'for=198.51.100.7' })).toMatchObject({ ignored: 1 });
    expect(addressOf('203.0.113.5', {})).toEqual({ address: '203.0.113.5', ignored: 0 });
    expect(addressOf('10.0.0.1', claim, { proxies: '' })).toEqual({ address: '10.0.0.1', ignored: 1 });
  });

  const chains: [header: string, address: string][] = [
    ['198.51.100.7', '198.51.100.7'],
    ['203.0.113.66, 198.51.100.7', '198.51.100.7'],
    ['203.0.113.66, 198.51.100.7, 10.1.2.3', '198.51.100.7'],
    ['198.51.100.7:4711', '198.51.100.7'],
    ['[2001:db8::17]:4711', '2001:db8::17'],
    ['2001:db8::17', '2001:db8::17'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['10.9.9.9, 10.1.2.3', '10.9.9.9'],
    ['203.0.113.66, unknown', '10.0.0.1'],
    ['203.0.113.66, <script>, 10.1.2.3', '10.1.2.3'],
    ['', '10.0.0.1'],
    [',,', '10.0.0.1'],
  ];
  test.each(chains)('reads X-Forwarded-For %j from a proxy as %s', (header, address) => {
    expect(addressOf('10.0.0.1', { 'x-forwarded-for': header })).toEqual({ address, ignored: 0 });
  });

  const forwardedChains: [header: string, address: string][] = [
    ['for=198.51.100.7', '198.51.100.7'],
    ['for=203.0.113.66, for=198.51.100.7;proto=https;by=10.0.0.2', '198.51.100.7'],
    ['proto=https;For="198.51.100.7:4711"', '198.51.100.7'],
    ['for="[2001:db8::17]:4711"', '2001:db8::17'],
    ['for=198.51.100.7, for=10.4.4.4', '198.51.100.7'],
    ['for=203.0.113.66, for=_hidden', '10.0.0.1'],
    ['for=203.0.113.66, proto=https', '10.0.0.1'],
    // The sender chooses the host. Text between quotes is not a parameter.
    ['for=203.0.113.5;host="a,for=9.9.9.9"', '203.0.113.5'],
    ['proto=https;host="x;for=9.9.9.9";for=203.0.113.5', '203.0.113.5'],
    ['for=203.0.113.5;host="a\\",for=9.9.9.9;b=\\""', '203.0.113.5'],
    ['for=203.0.113.5;host="a\\\\"', '203.0.113.5'],
    ['for=203.0.113.5;xfor=9.9.9.9', '203.0.113.5'],
    ['for="203.0.113.\\5"', '203.0.113.5'],
    ['by=10.0.0.9;for=203.0.113.5;host=app.example.com:8080;proto=https', '203.0.113.5'],
    ['for=203.0.113.5 ; proto=https ,', '203.0.113.5'],
    // Text before the element of the nearest proxy can't change how that element is read.
    ['for=9.9.9.9;host="never closed, for=203.0.113.5', '203.0.113.5'],
    ['for=9.9.9.9;host="never closed, for="[2001:db8::17]:4711"', '2001:db8::17'],
    ['", for=203.0.113.5;host="a, for=9.9.9.9"', '203.0.113.5'],
    // An element that can't be read ends the chain.
    ['for=9.9.9.9, for=203.0.113.5;for=9.9.9.8', '10.0.0.1'],
    ['for=9.9.9.9, for=203.0.113.5;host="a"b"', '10.0.0.1'],
    ['for=9.9.9.9, for=203.0.113.5;host', '10.0.0.1'],
    ['for=9.9.9.9, =203.0.113.5', '10.0.0.1'],
    ['for=9.9.9.9, for=203.0.113.5;host="a\\"', '10.0.0.1'],
    ['for=9.9.9.9 for=203.0.113.5', '10.0.0.1'],
    ['for=9.9.9.9, host=name for=203.0.113.5', '10.0.0.1'],
    ['"', '10.0.0.1'],
    ['for=9.9.9.9, for=10.1.1.1;host=a"b, for=10.2.2.2', '10.2.2.2'],
  ];
  test.each(forwardedChains)('reads Forwarded %j from a proxy as %s', (forwarded, address) => {
    expect(addressOf('10.0.0.1', { forwarded }, { header: 'forwarded' })).toEqual({ address, ignored: 0 });
  });

  test('ignores the header that is not configured', () => {
    const both = { 'x-forwarded-for': '203.0.113.66', forwarded: 'for=198.51.100.7' };
    expect(addressOf('10.0.0.1', both).address).toBe('203.0.113.66');
    expect(addressOf('10.0.0.1', both, { header: 'forwarded' }).address).toBe('198.51.100.7');
    expect(addressOf('10.0.0.1', { forwarded: 'for=198.51.100.7' }).address).toBe('10.0.0.1');
  });

  test('recognises an IPv4 proxy on an IPv6 socket, and an IPv6 proxy by its range', () => {
    const claim = { 'x-forwarded-for': '198.51.100.7' };
    expect(addressOf('::ffff:10.0.0.1', claim).address).toBe('198.51.100.7');
    expect(addressOf('::ffff:203.0.113.5', claim).address).toBe('203.0.113.5');
    expect(addressOf('fd00::1', claim).address).toBe('198.51.100.7');
    expect(addressOf('fe80::1%eth0', claim).address).toBe('fe80::1%eth0');
  });

  test('accepts an address with a zone in a chain', () => {
    const address = 'fe80::1%eth0';
    for (const chain of [address, `203.0.113.66, ${address}`, `203.0.113.66, ${address}, 10.1.2.3`])
      expect(addressOf('10.0.0.1', { 'x-forwarded-for': chain })).toEqual({ address, ignored: 0 });
  });

  test('returns no address for a closed connection', () => {
    expect(addressOf(undefined, { 'x-forwarded-for': '198.51.100.7' }).address).toBeUndefined();
  });
});
