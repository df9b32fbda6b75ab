import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { privateDestinations } from '../../provider/config/addresses.ts';
import { createOutgoingFetch } from '../../provider/oidc/outgoing-requests.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader('x-agent', request.headers['user-agent'] ?? '');
    response.end(request.url === '/slow' ? undefined : 'inside');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://localhost:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => void server.close());

const destinations = (text: string) => privateDestinations().parse(text);

/** Whether a request goes through the library's guard, which is given with the options of `fetch`. */
async function goesThroughGuard(hosts: string, at = url, isConfigured = true): Promise<boolean> {
  const fetched = jest.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('guarded'));
  try {
    const outgoing = createOutgoingFetch({
      destinations: destinations(hosts),
      isConfigured: () => isConfigured,
    });
    await (await outgoing(at, { method: 'GET' })).text();
    return fetched.mock.calls.length === 1;
  } finally {
    fetched.mockRestore();
  }
}

test('a host or range that the operator named needs no guard', async () => {
  expect(await goesThroughGuard('localhost')).toBe(false);
  expect(await goesThroughGuard('127.0.0.0/8')).toBe(false);
  expect(await goesThroughGuard('127.0.0.0/8', url.replace('localhost', '127.0.0.1'))).toBe(false);
});

test.each(['', 'other.example', 'ocalhost', '10.0.0.0/8', 'fd00::/8'])(
  'with the setting "%s", the guard stays',
  async (hosts) => {
    expect(await goesThroughGuard(hosts)).toBe(true);
    expect(await goesThroughGuard(hosts, url.replace('localhost', '127.0.0.1'))).toBe(true);
  },
);

test('a client that is not in the configuration always goes through the guard', async () => {
  expect(await goesThroughGuard('localhost, 127.0.0.0/8', url, false)).toBe(true);
});

test('a request has the method, headers and time limit of the library, and gives status, headers and body', async () => {
  const outgoing = createOutgoingFetch({ destinations: destinations('localhost'), isConfigured: () => true });
  const answer = await outgoing(url, { method: 'GET', headers: { 'user-agent': 'gatehouse' } });
  expect([answer.status, answer.headers.get('x-agent'), await answer.text()]).toEqual([
    200,
    'gatehouse',
    'inside',
  ]);
  const aborted = outgoing(url, { method: 'GET', signal: AbortSignal.abort() });
  await expect(aborted).rejects.toThrow('abort');
});

test.each([
  ['keys.internal', { hosts: ['keys.internal'], ranges: [] }],
  [
    'Keys.Internal  10.1.2.3',
    { hosts: ['keys.internal'], ranges: [expect.objectContaining({ prefix: 32 })] },
  ],
  ['fd00::/8,a', { hosts: ['a'], ranges: [expect.objectContaining({ prefix: 8, family: 'ipv6' })] }],
])('the setting %s is understood', (text, expected) => {
  expect(destinations(text)).toEqual(expected);
});

test.each([
  '0.0.0.0/0',
  '::/0',
  '*',
  '*.internal',
  'https://keys.internal',
  'keys.internal:443',
  '10.1',
  '1',
])('the setting %s is refused', (text) => {
  expect(privateDestinations().safeParse(text).success).toBe(false);
});
