import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createPwnedPasswords } from '../../../adapters/pwned-passwords/blocklist.ts';
import { breachDigest } from '../../../provider/lib/password-filter.ts';
import {
  keptWarnings,
  knownPasswords,
  passwordBlocklistContract,
} from '../../contract/password-blocklist.ts';

/**
 * A mock of Pwned Passwords, because the service can't be reached from tests. It answers as
 * https://haveibeenpwned.com/API/v3#PwnedPasswords says, with padding.
 */
async function startService({ answers = true } = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    if (!answers) return;
    const prefix = request.url?.match(/^\/range\/([0-9A-F]{5})\b/)?.[1];
    if (prefix === undefined) {
      response.writeHead(400).end('the hash prefix was not in a valid format');
      return;
    }
    const digests = knownPasswords.map((password) => breachDigest(password).toString('hex').toUpperCase());
    const found = digests.filter((digest) => digest.startsWith(prefix));
    const padding = breachDigest('padded but not breached').toString('hex').toUpperCase();
    const lines = [...found.map((digest) => `${digest.slice(5)}:7`), `${padding.slice(5)}:0`];
    response.end(lines.join('\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

passwordBlocklistContract('createPwnedPasswords', async () => {
  const { url, close } = await startService();
  const { logger, logged } = keptWarnings();
  return { list: createPwnedPasswords({ url, logger }), logged, spoil: close, close };
});

test('the service gets five digits of the digest, with padding, and nothing else about the password', async () => {
  const { url, requests, close } = await startService();
  await createPwnedPasswords({ url, ...keptWarnings() }).has('correct horse battery');
  await close();
  const digest = breachDigest('correct horse battery').toString('hex').toUpperCase();
  expect(requests.map(({ method, url }) => [method, url])).toEqual([
    ['GET', `/range/${digest.slice(0, 5)}?mode=sha1`],
  ]);
  expect(requests[0]?.headers['add-padding']).toBe('true');
  expect(JSON.stringify(requests[0]?.rawHeaders)).not.toContain(digest.slice(5));
});

test('an entry of the padding does not count', async () => {
  const { url, close } = await startService();
  expect(await createPwnedPasswords({ url, ...keptWarnings() }).has('padded but not breached')).toBe(false);
  await close();
});

test('a service that does not answer in time is not waited for', async () => {
  const { url, close } = await startService({ answers: false });
  const { logger, logged } = keptWarnings();
  expect(await createPwnedPasswords({ url, logger, timeoutMs: 20 }).has('correct horse battery')).toBe(false);
  expect(logged()).toMatch(/timeout/i);
  await close();
});
