import '../../provider/oidc/runtime-notice.ts';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { fetchPublicDocument } from '../../provider/oidc/public-documents.ts';

test.each([
  ['an address', '127.0.0.1', 'its host is an address: it must be a name'],
  ['the same in the form of IPv6', '[::ffff:127.0.0.1]', 'its host is an address: it must be a name'],
  ['a name that leads there', 'localhost', 'its host has a private address'],
])('no connection is made for a document at %s', async (_, host, reason) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await expect(fetchPublicDocument(`https://${host}:${port}/`, 0)).rejects.toThrow(reason);
  expect(connections).toBe(0);
  server.close();
});
