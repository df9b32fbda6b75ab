import { gzipSync } from 'node:zlib';
import { demo } from '../../support/deployment.ts';
import { type BadInput, json, sentinel, taken, toProgram } from './row.ts';

const { email, password } = demo;
const good = JSON.stringify({ email, password });
const wrong = JSON.stringify({ email, password: `${sentinel}-is-not-it` });
const at = '/auth/login';

const noJson = toProgram(400, 'invalid_json', /valid JSON in UTF-8/);
const noType = toProgram(415, 'unsupported_media_type', /Send JSON, with Content-Type: application\/json/);
const noCharset = toProgram(415, 'unsupported_media_type', /UTF-8/);
const packed = toProgram(415, 'unsupported_media_type', /without compression/);
const tooLarge = toProgram(413, 'payload_too_large', /at most 64 KiB/);
const refused = toProgram(401, 'invalid_credentials', /address or the password is wrong/);
const signedIn = taken(200, /"accessToken":/);

const text = (name: string, body: string | Buffer, expected = noJson): BadInput => ({
  name,
  send: json(at, body),
  expected,
});
const type = (contentType: string, expected = noType): BadInput => ({
  name: `the content type ${contentType}`,
  send: json(at, good, { 'Content-Type': contentType }),
  expected,
});
const coded = (coding: string, body: string | Buffer = good, expected = packed): BadInput => ({
  name: `the content encoding ${coding}`,
  send: json(at, body, { 'Content-Encoding': coding }),
  expected,
});

/** Bodies that aren't JSON, and bodies with a wrong type, encoding or size. */
export const jsonBodies: BadInput[] = [
  text('nothing', ''),
  text('white space', ' \n'),
  text('a brace', '{'),
  text('incomplete JSON', '{"email":"a@example.com","password":'),
  text('a field without a value', '{"email":"a"}}'),
  text('quotes of another kind', "{'email': 1}"),
  text('a comment', `/* */${good}`),
  text('a comma at the end', '{"email":"a","password":"b",}'),
  text('a form', `email=${email}&password=${sentinel}`),
  text('a NUL', '\0'),
  text('a NUL after the JSON', `${wrong}\0`),
  text('NaN', '{"email":NaN}'),
  text(
    'bytes that aren’t UTF-8',
    Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xff, 0xfe, 0x22, 0x7d])]),
  ),
  text('Latin-1', Buffer.from(JSON.stringify({ email: 'jürgen@example.com', password }), 'latin1')),
  text('UTF-16', Buffer.from(good, 'utf16le')),
  text('an overlong NUL', Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xc0, 0x80, 0x22, 0x7d])])),
  text('UTF-8 with half a surrogate pair', Buffer.from('7b2261223a22eda080227d', 'hex')),
  text('arrays 30,000 deep', '['.repeat(30_000) + ']'.repeat(30_000)),
  text('objects 6,000 deep', `${'{"email":'.repeat(6_000)}1${'}'.repeat(6_000)}`),
  text(
    'a byte order mark before the JSON',
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(wrong)]),
    refused,
  ),
  text('a key twice: the last one counts', wrong.replace('{', '{"password":"x","email":1,'), refused),
  text('text with every character escaped', wrong.replace('email', '\\u0065mail'), refused),

  type('text/plain'),
  type('text/json'),
  type('application/jsonp'),
  type('application/problem+json'),
  type('application/x-www-form-urlencoded'),
  type('multipart/form-data; boundary=x'),
  type('application/json, text/plain'),
  type('*/*'),
  type(''),
  { name: 'no content type', send: { method: 'POST', path: at, body: good }, expected: noType },
  type('application/json; charset=iso-8859-1', noCharset),
  type('application/json; charset="utf-16"', noCharset),
  type('application/json;charset=', noCharset),
  type('Application/JSON; Charset=UTF-8', signedIn),
  type('application/json; charset=utf8; profile=x', signedIn),

  coded('gzip'),
  coded('gzip', gzipSync(good)),
  coded('deflate'),
  coded('br'),
  coded('identity, gzip'),
  coded('nonsense'),
  coded('Identity', good, signedIn),

  { name: '70 KiB', send: json(at, { email, password: 'a'.repeat(70 * 1024) }), expected: tooLarge },
  {
    name: 'a password of 1 MiB',
    send: json(at, { email, password: sentinel.repeat(128 * 1024) }),
    expected: tooLarge,
  },
  { name: 'a sign-up of 1 MiB', send: json('/auth/register', 'x'.repeat(1024 * 1024)), expected: tooLarge },
  ...['70 KiB', '1 MiB'].map((size) => ({
    name: `${size} without Content-Length`,
    send: {
      raw: `POST ${at} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`1000\r\n${'a'.repeat(4096)}\r\n`.repeat(size === '70 KiB' ? 18 : 256)}0\r\n\r\n`,
    },
    expected: tooLarge,
  })),
  {
    name: '60 KiB, which is within the limit',
    send: json(at, { email, password: 'a'.repeat(60 * 1024) }),
    expected: toProgram(400, 'validation_failed', /see 'errors'/, ['/password']),
  },
];
