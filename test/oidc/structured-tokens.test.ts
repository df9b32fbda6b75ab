import '../../provider/oidc/runtime-notice.ts';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readBody } from '../../provider/lib/message-body.ts';
import { unwrapToken } from '../../provider/oidc/tokens/access-token-payload.ts';
import { wrapTokenParameter } from '../../provider/oidc/tokens/structured-tokens.ts';

const jwt = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.c2lnbmF0dXJl`;

let server: Server;
let origin: string;

/** Reads the request as the library does: by its content length, from its iterator. */
async function readAgain(request: IncomingMessage): Promise<{ body: string; length: number }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.iterator({ destroyOnReturn: false })) chunks.push(chunk);
  const length = Number(request.headers['content-length']);
  return { body: Buffer.concat(chunks).toString('utf8'), length };
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    wrapTokenParameter(request, await readBody(request, 65_536));
    response.end(JSON.stringify({ readable: request.readable, ...(await readAgain(request)) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function sent(body: string): Promise<URLSearchParams> {
  const answer = await fetch(origin, { method: 'POST', body });
  const read = (await answer.json()) as { body: string; length: number; readable: boolean };
  expect(read.readable).toBe(true);
  expect(read.length).toBe(Buffer.byteLength(read.body));
  return new URLSearchParams(read.body);
}

test('a JWT is wrapped so that the library accepts it, and is unwrapped unchanged', async () => {
  const read = await sent(`token=${jwt}`);
  const token = read.get('token') ?? '';
  expect(token.split('.')).toHaveLength(1);
  expect(unwrapToken(token)).toBe(jwt);
});

test.each([
  'token=fam_x.secret',
  'token=',
  'token=a.b.c.d',
  'token=%F0%9F%92%A5&token_type_hint=refresh_token',
  'client_id=app&client_secret=a%2Bb%26c+d',
  '',
])('any other value is unchanged: %s', async (body) => {
  const read = await sent(body);
  read.sort();
  const expected = new URLSearchParams(body);
  expected.sort();
  expect([...read]).toEqual([...expected]);
});

test('a duplicate parameter stays duplicate, so that the library refuses it', async () => {
  const read = await sent(`token=${jwt}&client_id=a&token=${jwt}&client_id=b`);
  expect(read.getAll('token')).toHaveLength(2);
  expect(read.getAll('client_id')).toEqual(['a', 'b']);
});

test('a value that only looks wrapped is not changed', () => {
  for (const value of ['at~', 'at~a b', 'at~*', 'xat~AAAA', jwt]) expect(unwrapToken(value)).toBe(value);
});
