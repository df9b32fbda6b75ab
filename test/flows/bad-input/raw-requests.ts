import { type BadInput, type Request, taken, toProgram, toUnparsed } from './row.ts';
import type { World } from './world.ts';

const noHttp = toUnparsed(400, 'invalid_request', /HTTP\/1\.1/);
const post = (lines: string, body = '') => ({
  raw: `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${lines}\r\n\r\n${body}`,
});
const get = (lines: string, target = '/nothing') => ({
  raw: `GET ${target} HTTP/1.1\r\n${lines}\r\nConnection: close\r\n\r\n`,
});
const notFound = toProgram(404, 'not_found', /nothing at this address/);

/** Requests that two servers in a row could read differently (request smuggling). */
const smuggled: [name: string, send: Request][] = [
  [
    'two length headers of different kinds',
    post('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  ],
  ['two lengths', post('Content-Length: 4\r\nContent-Length: 5', 'abcde')],
  ['one length twice', post('Content-Length: 4\r\nContent-Length: 4', 'abcd')],
  ['a list of lengths', post('Content-Length: 4, 4', 'abcd')],
  ['a negative length', post('Content-Length: -4', 'abcd')],
  ['a length with a sign', post('Content-Length: +4', 'abcd')],
  ['a hexadecimal length', post('Content-Length: 0x4', 'abcd')],
  ['an unknown transfer coding', post('Transfer-Encoding: xchunked', '0\r\n\r\n')],
  ['chunks that are not the last coding', post('Transfer-Encoding: chunked, identity', '0\r\n\r\n')],
  ['a blank before the colon', post('Transfer-Encoding : chunked', '0\r\n\r\n')],
  ['a chunk without a size', post('Transfer-Encoding: chunked', 'zz\r\n{}\r\n0\r\n\r\n')],
  ['a chunk size beyond counting', post('Transfer-Encoding: chunked', `${'f'.repeat(17)}\r\n{}`)],
  ['a header over two lines', get('Host: x\r\nX-A: a\r\n b')],
  ['a NUL in a header', get('Host: x\r\nX-A: a\0b')],
  ['a bare carriage return', get('Host: x\r\nX-A: a\rX-B: b')],
  ['line feeds alone', { raw: 'GET / HTTP/1.1\nHost: x\n\n' }],
  ['a header without a name', get('Host: x\r\n: a')],
];

const noRequest: [name: string, send: Request][] = [
  ['another protocol', { raw: 'EHLO example.com\r\n\r\n' }],
  ['the start of TLS', { raw: Buffer.from('160301020001000001fc0303', 'hex') }],
  ['the start of HTTP/2', { raw: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }],
  ['an unknown HTTP version', { raw: 'GET / HTTP/1.2\r\nHost: x\r\n\r\n' }],
  ['a made-up method', { raw: 'FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n' }],
  ['a method in lower case', { raw: 'get / HTTP/1.1\r\nHost: x\r\n\r\n' }],
  ['no path', { raw: 'GET HTTP/1.1\r\nHost: x\r\n\r\n' }],
  ['a path that isn’t ASCII', { raw: 'GET /\u00fc HTTP/1.1\r\nHost: x\r\n\r\n' }],
  ['a blank in the path', { raw: 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n' }],
];

const twice = (header: string) => toProgram(400, 'invalid_request', new RegExp(`header ${header} once`));
const headersTooLarge = toUnparsed(431, 'headers_too_large', /16 KiB.*cookies/);

/** Bytes that are no valid HTTP request. */
export const rawRequests: BadInput[] = [
  ...[...smuggled, ...noRequest].map(([name, send]) => ({ name, send, expected: noHttp })),
  {
    name: 'CONNECT, as to a proxy',
    send: { raw: 'CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n' },
    expected: { to: 'none' },
  },
  {
    name: 'chunks that are compressed',
    send: post('Connection: close\r\nTransfer-Encoding: gzip, chunked', '2\r\n{}\r\n0\r\n\r\n'),
    expected: toProgram(415, 'unsupported_media_type', /without compression/),
  },
  { name: 'no Host', send: get('X-A: a'), expected: toProgram(400, 'invalid_request', /Host is missing/) },
  { name: 'two Hosts', send: get('Host: a\r\nHost: b'), expected: twice('host') },
  {
    name: 'a malformed Host',
    send: get('Host: a b/c?d'),
    expected: toProgram(400, 'invalid_request', /names no host/),
  },
  {
    name: 'a Host with a user',
    send: get('Host: a@b'),
    expected: toProgram(400, 'invalid_request', /names no host/),
  },
  {
    name: 'a second Host behind 2,500 headers',
    send: get(`Host: a\r\n${'a:\r\n'.repeat(2_500)}Host: b`),
    expected: twice('host'),
  },
  { name: 'an empty Host', send: get('Host: '), expected: notFound },
  { name: 'another Host', send: get('Host: evil.example:666'), expected: notFound },
  {
    name: 'two Authorization headers',
    send: get('Host: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b', '/user/profile'),
    expected: twice('authorization'),
  },
  {
    name: 'two content types',
    send: post('Connection: close\r\nContent-Type: text/plain\r\nContent-Length: 2', '{}'),
    expected: twice('content-type'),
  },
  ...['http://evil.example', 'https://localhost', 'the issuer'].map((origin) => ({
    name: `a URL of ${origin} as its target`,
    send: ({ deployment: { issuer } }: World) =>
      get('Host: x', `${origin === 'the issuer' ? issuer : origin}/.well-known/openid-configuration`),
    expected: toProgram(400, 'invalid_request', /not an absolute URL/),
  })),
  {
    name: 'an asterisk as its target',
    send: { raw: 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' },
    expected: toProgram(400, 'invalid_request', /Send a path/),
  },
  {
    name: 'a header of 20 KB',
    send: get(`Host: x\r\nX-Large: ${'a'.repeat(20_000)}`),
    expected: headersTooLarge,
  },
  {
    name: 'cookies of 20 KB',
    send: get(`Host: x\r\nCookie: ${'a=b; '.repeat(4_000)}`),
    expected: headersTooLarge,
  },
  { name: 'a path of 20 KB', send: get('Host: x', `/${'a'.repeat(20_000)}`), expected: headersTooLarge },
  {
    name: 'a header of 10 KB, which is within the limit',
    send: get(`Host: x\r\nX-Large: ${'a'.repeat(10_000)}`),
    expected: notFound,
  },
  { name: 'HTTP/1.0', send: { raw: 'GET /nothing HTTP/1.0\r\n\r\n' }, expected: notFound },
  {
    name: 'a request after Connection: close',
    send: { raw: 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n' },
    expected: noHttp,
  },
  {
    name: 'an unsupported upgrade',
    send: {
      raw: 'GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n',
    },
    expected: taken(200, /"openapi"/),
  },
  {
    name: 'an unknown expectation',
    send: post('Connection: close\r\nExpect: a-miracle\r\nContent-Length: 2', '{}'),
    expected: toProgram(400, 'validation_failed', /see 'errors'/),
  },
  {
    name: 'Expect: 100-continue, and the body at once',
    send: post('Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2', '{}'),
    expected: toProgram(400, 'validation_failed', /see 'errors'/),
  },
  {
    name: 'a body with GET',
    send: { path: '/user/profile', body: '{"a":1}' },
    expected: toProgram(401, 'invalid_token', /access token is missing/),
  },
];
